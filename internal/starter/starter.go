// Package starter has the files that "omniloader init" writes: a first feature, the steps
// for the completion of an editor, and a CI job. It does not write them itself.
package starter

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"omniloader/steps"
)

// File is a file to be written.
type File struct {
	Path    string // relative to the project's directory, with slashes
	About   string // a short description
	Content []byte
}

// Options are what is known about the project that the files are for.
type Options struct {
	// Source is the repository that the CI job builds omniloader from, OWNER/NAME on
	// GitHub; "" leaves it to a variable of the project's repository.
	Source string
	// Revision is the branch, tag or commit of Source; "" leaves it to a variable too.
	Revision string
}

//go:embed files
var files embed.FS

// The paths of the files.
const (
	Feature    = "features/first.feature"
	Workflow   = ".github/workflows/omniloader.yml"
	Settings   = ".vscode/settings.json"
	Extensions = ".vscode/extensions.json"
	Steps      = ".vscode/omniloader-steps.js"
)

// Files returns the files in the order in which they should be written.
func Files(o Options) ([]File, error) {
	all := []File{
		{Path: Feature, About: "a first feature, to change"},
		{Path: Settings, About: "tells the Cucumber extension of VS Code where features and steps are"},
		{Path: Extensions, About: "suggests that extension"},
		{Path: Steps, About: "every step, for completion in the editor; it is never run", Content: stepsForEditors(steps.Catalogue())},
		{Path: Workflow, About: "a job for GitHub Actions: checks, compares with main, reports"},
	}
	for i := range all {
		f := &all[i]
		if f.Content != nil {
			continue
		}
		content, err := fs.ReadFile(files, "files/"+f.Path[strings.LastIndex(f.Path, "/")+1:])
		if err != nil {
			return nil, err
		}
		f.Content = content
		if f.Path == Workflow {
			f.Content = fillIn(content, o)
		}
	}
	return all, nil
}

// fillIn replaces the variables of the CI job by the options that are set.
func fillIn(job []byte, o Options) []byte {
	for _, known := range []struct{ variable, value string }{
		{"${{ vars.OMNILOADER_REPOSITORY }}", o.Source}, {"${{ vars.OMNILOADER_REF }}", o.Revision},
	} {
		if known.value != "" {
			job = bytes.Replace(job, []byte(known.variable), []byte(known.value), 1)
		}
	}
	return job
}

// stepsForEditors writes the steps as step definitions in JavaScript, which editor
// extensions for Cucumber can read: they complete steps from it and underline undefined
// ones.
func stepsForEditors(catalogue []steps.Definition) []byte {
	var b bytes.Buffer
	b.WriteString("// The steps of omniloader, for editors only: written by `omniloader init`, and never run.\n" +
		"// To update them, delete this file and run the command again.\n")
	group := ""
	for _, d := range catalogue {
		if d.Group != group {
			group = d.Group
			fmt.Fprintf(&b, "\n// %s\n", group)
		}
		example, _, _ := strings.Cut(d.Example, "\n")
		fmt.Fprintf(&b, "\n// %s\n// Example: %s %s\n", d.Meaning, d.Keyword, example)
		fmt.Fprintf(&b, "%s(/%s/, () => {})\n", d.Keyword, strings.ReplaceAll(d.Pattern, "/", `\/`))
	}
	return b.Bytes()
}
