package cli

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"omniloader/internal/builtin"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// updateFlag defines --update.
func updateFlag(set *pflag.FlagSet, update *bool) {
	set.BoolVar(update, "update", false, "write the files of \"the answer is as in\" where the answer is\nanother one; refused where CI is set")
}

// envCI is set by CI services, where a run must find an answer that is not as expected, and
// not write it.
const envCI = "CI"

// checkUpdate refuses --update where it would write nothing, or hide a difference.
func (f *runFlags) checkUpdate() error {
	switch ci := os.Getenv(envCI); {
	case !f.update:
		return nil
	case !slices.Contains([]string{"", "0", "false", "no"}, strings.ToLower(ci)):
		return errorWithHint("run it on your machine, look at the files, and commit them", "--update: %s=%s is set, and on CI an answer must be compared, not written", envCI, ci)
	case f.dryRun:
		return errorWithHint("leave one of them out", "--update writes the answers of a run, and --dry-run runs nothing")
	}
	return nil
}

// noteUpdatedAnswers names the answer files that a run has written.
func (p *program) noteUpdatedAnswers(setup *steps.Setup) {
	if files := setup.UpdatedAnswers(); len(files) > 0 {
		p.note("wrote %s: look at the changes before you commit them", strings.Join(files, ", "))
	}
}

// vocabularyOf returns what the loader of this name says of its answers, as far as that is
// known before it is opened; "" means the built-in loader.
func vocabularyOf(name string) *steps.Vocabulary {
	if cmp.Or(name, undertest.Builtin) != undertest.Builtin {
		return nil
	}
	return steps.NewVocabulary(builtin.New(""))
}
