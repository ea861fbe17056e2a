package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// Host describes the machine and the program for a results file's environment:
// cpu, hypervisor, cores, gomaxprocs, sampling, gogc where it is set, and version,
// modules, goamd64, commit and dirty where the build recorded them. What is not known is
// left out.
func Host() map[string]any {
	environment := map[string]any{
		"cores":      runtime.NumCPU(),
		"gomaxprocs": runtime.GOMAXPROCS(0),
		samplingKey:  SamplingVersion,
	}
	if brand := strings.TrimSpace(cpuid.CPU.BrandName); brand != "" {
		environment["cpu"] = brand
	}
	if vendor := strings.TrimSpace(cpuid.CPU.HypervisorVendorString); vendor != "" {
		environment["hypervisor"] = vendor
	}
	if gc, ok := os.LookupEnv("GOGC"); ok {
		environment["gogc"] = gc
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			environment["version"] = v
		}
		if modules := moduleVersions(info); len(modules) > 0 {
			environment[modulesKey] = modules
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "GOAMD64":
				environment["goamd64"] = s.Value
			case "vcs.revision":
				environment["commit"] = s.Value
			case "vcs.modified":
				environment["dirty"] = s.Value == "true"
			}
		}
	}
	return environment
}

// moduleVersions gives the version of each module that a program is linked with, by its
// path. The version of a replaced module is the path and version of its replacement.
func moduleVersions(info *debug.BuildInfo) map[string]any {
	modules := map[string]any{}
	for _, m := range info.Deps {
		modules[m.Path] = m.Version
		if r := m.Replace; r != nil {
			modules[m.Path] = strings.TrimSpace(r.Path + " " + r.Version)
		}
	}
	return modules
}

// Platform is the operating system and architecture: "linux/amd64".
func Platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
