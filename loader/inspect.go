package loader

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
)

// Inspect says everything that is known of the checkpoint at dir: ModelInfo, and
// beyond it the size, the tokenizer, the weights (from their headers alone), the
// memory they take, the model card, and what is wrong with any of them. What
// cannot be read is reported as a finding; only a directory that cannot be
// listed is an error.
func (l *Loader) Inspect(fsys fs.FS, dir string) (*Info, error) {
	seen := newSeen(fsys)
	c, err := list(seen, dir)
	if err != nil {
		return nil, err
	}
	c.own = l.names()
	readErr := c.read()
	if readErr != nil {
		c.doc, c.classes, c.modelType, c.findings = document{}, nil, "", nil
	}
	v := c.classify()
	info := c.describe(&v)
	if readErr != nil && info.Category == Unknown {
		reason := readErr.Error()
		info.Error, info.DecidedBy, info.Findings = &reason, "no rule: "+fault.PathOf(readErr)+" cannot be read", nil
	}
	files, findings := c.walk(seen)
	findings = append(findings, c.look(files)...)
	for i := range files {
		info.Size += files[i].size
	}
	r, _ := c.readWeights(files, &v)
	findings = append(findings, problemFindings(files, matters(r))...)
	if readErr != nil && !hasProblem(files, fault.PathOf(readErr)) {
		findings = append(findings, finding(CodeConfigUnreadable, fault.PathOf(readErr), withoutPath(readErr), hintOf(readErr)))
	}
	read := []string{}
	if r != nil {
		info.Weights, read = r.info, r.info.Files
		findings = append(findings, r.findings...)
	}
	findings = append(findings, c.scanPickles(files, read)...)
	info.Findings = append(info.Findings, findings...)

	described := l.inspectTokenizer(c, info, files)
	c.inspectQuantization(info, r)
	c.inspectCard(info)
	info.ChatTemplate, findings = c.chatTemplate(described, files, r)
	info.Findings = append(info.Findings, findings...)
	c.inspectMemory(info, r, l.context)
	info.Findings = append(info.Findings, c.checkNames(info, r)...)
	info.Findings = append(info.Findings, c.checkLayers(info, r)...)
	info.Findings = append(info.Findings, c.checkCache(files, info.Weights)...)
	info.Findings = append(info.Findings, c.checkLocalDir(files)...)
	info.Findings = append(info.Findings, c.checkParts(info, files, r)...)
	if info.Weights == nil && info.Category != Unknown && readErr == nil && info.Category != Diffusers && !unreadPrograms[info.Layout] {
		info.addFinding(CodeWeightsMissing, "", "no weight files", c.howToGet(""))
	}
	info.Findings = onePerCause(withoutEchoes(info.Findings, files))
	sortFindings(info.Findings)
	info.Findings = slices.Compact(info.Findings)
	return info, nil
}

// unreadPrograms are the layouts whose programs hold their weights in a form that is
// not read.
var unreadPrograms = map[string]bool{"core ml": true, "litert": true, "tensorflow saved model": true}

// withoutEchoes leaves out what only repeats, as a reader's failure, that a file
// holds no content.
func withoutEchoes(findings []Finding, files []fileInfo) []Finding {
	return slices.DeleteFunc(findings, func(f Finding) bool {
		return (f.Code == CodeFileUnreadable || f.Code == CodeConfigUnreadable) && hasProblem(files, f.File)
	})
}

// echoRank orders the codes under which several readers may report one failure
// of a file: the most telling is kept.
var echoRank = map[string]int{
	CodeWeightsTruncated: 1, CodeWeightsUnreadable: 2, CodeConfigUnreadable: 3, CodeTokenizerUnreadable: 4, CodeFileUnreadable: 5,
}

// onePerCause leaves out what says once more, in the same words or of the same
// file, that it cannot be read; and that nothing was recognized where it is said
// that the config is missing, or that the weights cannot be read.
func onePerCause(findings []Finding) []Finding {
	best := map[string]int{}
	said := false
	for _, f := range findings {
		if rank := echoRank[f.Code]; rank > 0 && (best[f.File] == 0 || rank < best[f.File]) {
			best[f.File] = rank
		}
		said = said || f.Code == CodeConfigMissing || f.Severity == SeverityError && (f.Code == CodeWeightsUnreadable || f.Code == CodeWeightsTruncated)
	}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		rank := echoRank[f.Code]
		return rank > 0 && rank > best[f.File] || said && f.Code == CodeNothingRecognized
	})
}

func hasProblem(files []fileInfo, name string) bool {
	return slices.ContainsFunc(files, func(f fileInfo) bool { return f.name == name && f.problem != nil })
}

// matters says how much it matters that a file holds no content: the weights in
// use, and what describes the model, make loading fail; weights that nobody uses
// are a warning; the rest is worth knowing.
func matters(r *weightReader) func(*fileInfo) Severity {
	return func(f *fileInfo) Severity {
		base := f.base()
		switch {
		case f.problem != nil && f.problem.Kind == fault.Incomplete:
			return SeverityWarning
		case r != nil && (slices.Contains(r.info.Files, f.name) || f.name == r.info.Index):
			return SeverityError
		case path.Ext(base) == ".json" && f.dir() == ".", tokenizer.FileOf(base), base == fileConfig:
			return SeverityError
		case isWeightFile(base):
			return SeverityWarning
		}
		return SeverityNote
	}
}

// inspectTokenizer fills in the tokenizer of the checkpoint or of its base
// model. Only a category that works on text is missing one.
func (l *Loader) inspectTokenizer(c *checkpoint, info *Info, files []fileInfo) *tokenizerDescription {
	t, err := l.search().find(context.Background(), c.fsys, c.dir, describeTokenizer)
	switch kind := fault.KindOf(err); {
	case err == nil:
		info.Tokenizer = t.TokenizerInfo
		info.Findings = append(info.Findings, t.Findings...)
		c.checkPadToken(info, t)
		c.checkVocabulary(info, t)
		info.Findings = append(info.Findings, t.check(c.configOf(t))...)
		return t
	case kind != fault.NotFound:
		var elsewhere *SearchError
		if errors.As(err, &elsewhere) {
			info.addFinding(CodeTokenizerUnreadable, seenFrom(c.dir, fault.PathOf(err)), withoutPath(err), hintOf(err))
		} else if !hasProblem(files, fault.PathOf(err)) {
			info.addFinding(CodeTokenizerUnreadable, fault.PathOf(err), withoutPath(err), hintOf(err))
		}
	case info.Category == Transformers || info.Category == ASR || info.Category == SAE:
		if len(info.carriesTokenizer()) == 0 && !slices.Contains(configKeys()["no_text"], string(info.Task)) && !c.hasOtherTokenizer() {
			info.Findings = append(info.Findings, tokenizerMissing(info, err))
		}
	}
	return nil
}

// seenFrom writes a path as seen from a directory of the same filesystem.
func seenFrom(dir, name string) string {
	up := ""
	for dir != "." && name != dir && !strings.HasPrefix(name, dir+"/") {
		dir, up = path.Dir(dir), up+"../"
	}
	if dir == "." {
		return up + name
	}
	return up + strings.TrimPrefix(name, dir+"/")
}

// configOf is the config of the model that a tokenizer belongs to, nothing where it
// has none that can be read. An adapter and an autoencoder have none of their own
// that speaks of tokens.
func (c *checkpoint) configOf(t *tokenizerDescription) members {
	if t.Origin == OriginCheckpoint && c.doc.file == fileConfig {
		return c.config()
	}
	dir := c.dir
	if t.Origin != OriginCheckpoint {
		dir = t.Path
	}
	object, _ := readObject(c.fsys, dir, fileConfig)
	return newMembers(object)
}

// tokenizerMissing says that no tokenizer was found. An autoencoder has none of its
// own, and is sound without its base model's beside it.
func tokenizerMissing(info *Info, err error) Finding {
	message := withoutPath(err)
	var search *SearchError
	if errors.As(err, &search) {
		message = search.summary()
	}
	f := finding(CodeTokenizerMissing, "", message, hintOf(err))
	if info.IsSAE {
		f.Severity = SeverityNote
	}
	return f
}

// hasOtherTokenizer tells whether a tokenizer is here in a form that is not read:
// OpenVINO's.
func (c *checkpoint) hasOtherTokenizer() bool { return c.has("openvino_tokenizer.xml") }

func (info *Info) addFinding(code, file, message, hint string) {
	info.Findings = append(info.Findings, finding(code, file, message, hint))
}

func hintOf(err error) string { return fault.HintOf(err) }
