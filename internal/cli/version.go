package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
)

// versionInfo is what version --json prints.
type versionInfo struct {
	Version   string `json:"version"`            // "(devel)" where it was not built from a released version
	Commit    string `json:"commit,omitempty"`   // where the build recorded it
	Modified  bool   `json:"modified,omitempty"` // built from files that were not committed
	GoVersion string `json:"go_version"`
	Platform  string `json:"platform"`
}

func (p *program) versionCommand() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:               "version",
		Short:             "Print version, commit, Go version and platform",
		Long:              "Prints the program's version, the commit it was built from, the version of Go and\nthe platform.",
		Args:              noArguments,
		RunE:              func(*cobra.Command, []string) error { return p.printOwnVersion(asJSON) },
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations:       map[string]string{meaningOf0: "printed"},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// ownVersion is the version of this program.
func ownVersion() string {
	build, _ := debug.ReadBuildInfo()
	return versionOf(build).Version
}

// printOwnVersion prints the version of this program.
func (p *program) printOwnVersion(asJSON bool) error {
	build, _ := debug.ReadBuildInfo()
	return p.printVersion(versionOf(build), asJSON)
}

func versionOf(build *debug.BuildInfo) versionInfo {
	v := versionInfo{Version: "(devel)", Platform: bench.Platform()}
	if build == nil {
		return v
	}
	v.GoVersion = build.GoVersion
	if build.Main.Version != "" {
		v.Version = build.Main.Version
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (p *program) printVersion(v versionInfo, asJSON bool) error {
	if asJSON {
		return printJSON(p, v)
	}
	fmt.Fprintln(p.out, "omniloader", v.Version)
	if v.Commit != "" {
		modified := ""
		if v.Modified {
			modified = ", with changes that were not committed"
		}
		fmt.Fprintf(p.out, "commit %s%s\n", v.Commit, modified)
	}
	fmt.Fprintln(p.out, v.GoVersion, v.Platform)
	return nil
}
