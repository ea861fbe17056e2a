package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"

	"omniloader/fixtures"
)

func (p *program) presetsCommand() *cobra.Command {
	asJSON, show, dir := false, false, ""
	own := new(checkpointFlags)
	c := &cobra.Command{
		Use:   "presets [WORD…]",
		Short: "List the checkpoints that scenarios can use by name, or write them to disk",
		Long: `Lists the presets: checkpoints that omniloader makes, sound ones and ones that are
broken on purpose, for scenarios ("Given the checkpoint "gpt2""). With words, only those
whose name or title has all of them, in any case. --presets, or the variable
OMNILOADER_PRESETS, adds your own, which are written in the same way: a title, what is
to be generated, and files.

With --show it prints the text of those presets: the title, the files to generate with
their tensors, and the other files as they are, in the txtar format. A name in full stands
for that preset alone.

With --write it writes the presets of these names instead, each as a directory of its
own, so that the other commands can be tried. The weight files have the sizes of the
real ones but hold zeros, as sparse files: they take almost no space, until a program
copies them that does not know sparse files.`,
		Example: `  omniloader presets                                       every preset
  omniloader presets shard                                 those about shards
  omniloader presets gpt2 --show                           what the preset gpt2 is made of
  omniloader presets broken-missing-shard --write models   write models/broken-missing-shard`,
		RunE: func(c *cobra.Command, words []string) error {
			library, err := own.library(c.Flags())
			if err != nil {
				return err
			}
			if c.Flags().Changed("write") {
				return p.writePresets(library, words, dir)
			}
			return p.listPresets(library, words, asJSON, show)
		},
		ValidArgsFunction: func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			library, err := own.library(c.Flags())
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			for _, preset := range library.All() {
				names = append(names, preset.Name+"\t"+preset.Title)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		Annotations: map[string]string{
			meaningOf0: "listed, or written",
			meaningOf2: "no preset has these words or this name, or it could not be written",
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	own.definePresets(c.Flags())
	c.Flags().StringVar(&dir, "write", "", "write the presets of these names below this `DIR`")
	c.Flags().BoolVar(&show, "show", false, "print what the presets are made of, as txtar")
	refuseTogether(c, "json", "write")
	refuseTogether(c, "show", "write")
	_ = c.MarkFlagDirname("write")
	_ = c.MarkFlagDirname("presets")
	return c
}

// presetEntry is a preset as "presets --json" prints it.
type presetEntry struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	From  string `json:"from,omitempty"` // the preset that a changed one is made from
	Text  string `json:"text,omitempty"` // what it is made of, with --show
}

// listPresets prints the presets that have all of the words, with show their texts.
func (p *program) listPresets(library *fixtures.PresetLibrary, words []string, asJSON, show bool) error {
	var entries []presetEntry
	for _, preset := range library.All() {
		entry := presetEntry{Name: preset.Name, Title: preset.Title, From: preset.From}
		if show {
			text, err := library.Text(preset.Name)
			if err != nil {
				return err
			}
			entry.Text = string(text)
			if len(words) == 1 && words[0] == entry.Name {
				entries, words = []presetEntry{entry}, nil
				break
			}
		}
		entries = append(entries, entry)
	}
	text := func(e presetEntry) string { return e.Name + "\n" + e.Title }
	one := len(slices.DeleteFunc(slices.Clone(entries), func(e presetEntry) bool { return !containsWords(text(e), words) })) == 1
	return listing[presetEntry]{
		entries: entries,
		text:    text,
		print: func(e presetEntry) {
			if show && one {
				fmt.Fprint(p.out, e.Text)
				return
			}
			fmt.Fprintf(p.out, "%s\n", p.bold(e.Name))
			if show {
				fmt.Fprint(p.out, e.Text)
				return
			}
			p.printWrapped("  ", e.Title)
		},
		noMatch: "no preset has %s in its name or title",
		hint:    `"omniloader presets" without words lists them all`,
	}.show(p, words, asJSON)
}

// writePresets writes presets below dir. A name that is no preset is found before the
// first is written.
func (p *program) writePresets(library *fixtures.PresetLibrary, names []string, dir string) error {
	if len(names) == 0 {
		return errorWithHint(`"omniloader presets" lists the names`, "presets --write: name a preset")
	}
	if dir == "" {
		return errorWithHint("--write . writes below this directory", "presets --write: the name of the directory is empty")
	}
	for i, name := range names {
		if err := library.Check(name); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return errorWithHint("name it once", "presets --write: %s is named twice", name)
		}
	}
	for _, name := range names {
		if err := writePresetTo(library, dir, name); err != nil {
			return err
		}
		fmt.Fprintf(p.err, "wrote %s\n", printable(filepath.Join(dir, name)))
	}
	return nil
}

// writePresetTo writes a preset as the directory dir/name, which must not exist yet. It
// leaves nothing behind where it fails.
func writePresetTo(library *fixtures.PresetLibrary, dir, name string) (err error) {
	target := filepath.Join(dir, name)
	if _, err := os.Lstat(target); err == nil {
		return errorWithHint("remove it, or name another directory", "%s: it exists already", printable(target))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(dir, "."+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, os.RemoveAll(temp))
	}()
	made := filepath.Join(temp, name) // with the usual mode, unlike temp
	if err := os.Mkdir(made, 0o777); err != nil {
		return err
	}
	if err := fixtures.New(afero.NewBasePathFs(afero.NewOsFs(), temp), name).AddPresetFrom(library, name); err != nil {
		return fmt.Errorf("writing the preset %s: %s", name, strings.ReplaceAll(err.Error(), temp, dir))
	}
	return os.Rename(made, target)
}
