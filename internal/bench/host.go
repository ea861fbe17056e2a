package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// Host describes the machine and the program for a results file's environment:
// cpu, hypervisor, cores, gomaxprocs, and goamd64, commit and dirty where the build
// recorded them.
// What cannot be found out is left out.
func Host() map[string]any {
	environment := map[string]any{
		"cores":      runtime.NumCPU(),
		"gomaxprocs": runtime.GOMAXPROCS(0),
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

// Platform is the operating system and architecture: "linux/amd64".
func Platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
