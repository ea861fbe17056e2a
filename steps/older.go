package steps

import "omniloader/loader/undertest"

// olderSpellings are steps that were given a plainer spelling. Features that use the
// older one still work.
func (w *world) olderSpellings(r stepRegistrar) {
	r.group("Older spellings")
	r.Then(`^it was decided by "([^"]*)"$`, w.decidedBy, stepDoc{
		meaning: "An older spelling of: detection used \"…\".",
		example: `it was decided by "model_index.json"`,
		older:   true,
	})
	r.Then(`^loading it runs (no )?code of its own$`, w.needsRemoteCode, stepDoc{
		meaning: "An older spelling of: loading needs remote code.",
		example: `loading it runs no code of its own`,
		older:   true,
	})
	r.Then(`^the ([a-z][a-z0-9 ]*) is (yes|no)$`, w.fieldIsYesNo, stepDoc{
		meaning: "An older way to check a field that is true or false: each has its own step now.",
		example: `the remote code is no`,
		older:   true,
		check:   checkField(undertest.KindBoolean),
	})
}

func (w *world) decidedBy(rule string) error { return w.detectionUsed("used", rule) }

func (w *world) fieldIsYesNo(name, want string) error {
	f, err := w.field(name)
	if err != nil {
		return err
	}
	if !f.value.IsBool() || f.value.Bool() != (want == "yes") {
		return w.unequal(name, f, want)
	}
	return nil
}
