package loader

import (
	"io/fs"

	"omniloader/loader/fault"
)

// Inspect says everything that is known of the checkpoint at dir: ModelInfo, and
// beyond it the size, the tokenizer, the weight files, and what is wrong with
// them. What cannot be read is reported as a finding; only a directory that
// cannot be listed is an error.
func (l *Loader) Inspect(fsys fs.FS, dir string) (*Info, error) {
	c, err := list(fsys, dir)
	if err != nil {
		return nil, err
	}
	readErr := c.read()
	if readErr != nil {
		c.doc, c.classes, c.modelType, c.findings = document{}, nil, "", nil
	}
	info := c.info()
	if readErr != nil && info.Category == Unknown {
		reason := readErr.Error()
		info.Error, info.DecidedBy, info.Findings = &reason, "no rule: "+fault.PathOf(readErr)+" cannot be read", nil
	}
	if readErr != nil {
		info.addFinding(SeverityError, CodeConfigUnreadable, fault.PathOf(readErr), withoutPath(readErr), hintOf(readErr))
	}
	files, findings := c.walk()
	for _, f := range files {
		info.Size += f.size
	}
	info.Findings = append(info.Findings, findings...)
	info.Weights, findings = c.weights(files)
	info.Findings = append(info.Findings, findings...)
	l.inspectTokenizer(c, info)
	if info.Weights == nil && info.Category != Unknown && readErr == nil {
		info.addFinding(SeverityError, CodeWeightsMissing, "", "no weight files", "download the weights; only the description of the model is here")
	}
	sortFindings(info.Findings)
	return info, nil
}

// inspectTokenizer fills in the tokenizer of the checkpoint or of its base
// model. Only a category that works on text is missing one.
func (l *Loader) inspectTokenizer(c *checkpoint, info *Info) {
	t, err := l.Tokenizer(c.fsys, c.dir)
	switch kind := fault.KindOf(err); {
	case err == nil:
		info.Tokenizer = t
		if t.PadToken == nil {
			info.addFinding(SeverityNote, CodePadTokenMissing, "", "no file gives a pad token, and there is no end-of-text token to stand in",
				"set one before batching texts of different lengths")
		} else if *t.PadTokenSource == "eos_token" {
			info.addFinding(SeverityNote, CodePadTokenFromEOS, "", "no file gives a pad token; "+*t.PadToken+", the end-of-text token, stands in",
				"training with it hides the end of a text: add a pad token of its own")
		}
	case kind != fault.NotFound:
		info.addFinding(SeverityError, CodeTokenizerUnreadable, fault.PathOf(err), withoutPath(err), hintOf(err))
	case info.Category == Transformers || info.Category == ASR || info.Category == SAE:
		info.addFinding(SeverityWarning, CodeTokenizerMissing, "", withoutPath(err), hintOf(err))
	}
}

func (info *Info) addFinding(severity Severity, code, file, message, hint string) {
	info.Findings = append(info.Findings, Finding{severity, code, file, message, hint})
}

func hintOf(err error) string { return fault.HintOf(err) }
