package loader

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/check"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/memory"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/weights"
	"omniloader/loader/tokenizer"
)

// Inspect says everything that is known of the checkpoint at dir: ModelInfo, and
// beyond it the size, the tokenizer, the weights (from their headers alone), the
// memory they take, the model card, and what is wrong with any of them. What
// cannot be read is reported as a finding; only a directory that cannot be
// listed is an error.
func (l *Loader) Inspect(fsys fs.FS, dir string) (*answer.Info, error) {
	seen := tree.NewCachedFS(fsys)
	c, err := checkpoint.List(seen, dir)
	if err != nil {
		return nil, err
	}
	c.Registered = l.names()
	readErr := c.ReadMain()
	if readErr != nil {
		c.Doc, c.Classes, c.ModelType, c.Findings = config.Document{}, nil, "", nil
	}
	v := detect.Classify(c)
	info := buildInfo(c, &v)
	if readErr != nil && info.Category == answer.Unknown {
		reason := readErr.Error()
		info.Error, info.DecidedBy, info.Findings = &reason, "no rule: "+fault.PathOf(readErr)+" cannot be read", nil
	}
	files, findings := c.Walk(seen)
	findings = append(findings, c.Sniff(files)...)
	for i := range files {
		info.Size += files[i].Size
	}
	r, _ := weights.Read(c, files, &v)
	findings = append(findings, check.ProblemFindings(files, severityOf(r))...)
	if readErr != nil && !tree.HasProblem(files, fault.PathOf(readErr)) {
		findings = append(findings, finding.New(finding.ConfigUnreadable, fault.PathOf(readErr), finding.WithoutPath(readErr), finding.HintOf(readErr)))
	}
	read := []string{}
	if r != nil {
		info.Weights, read = r.Info, r.Info.Files
		findings = append(findings, r.Findings...)
	}
	findings = append(findings, weights.ScanPickles(c, files, read)...)
	info.Findings = append(info.Findings, findings...)

	described := l.inspectTokenizer(c, info, files)
	weights.InspectQuantization(c, info, r)
	c.AddCard(info)
	info.ChatTemplate, findings = tokens.ChatTemplate(c, described, files, r)
	info.Findings = append(info.Findings, findings...)
	memory.Inspect(c, info, r, l.context)
	info.Findings = append(info.Findings, check.CheckNames(c, info, r)...)
	info.Findings = append(info.Findings, check.CheckLayers(c, info, r)...)
	info.Findings = append(info.Findings, check.CheckCache(c, files, info.Weights)...)
	info.Findings = append(info.Findings, check.CheckLocalDir(c, files)...)
	info.Findings = append(info.Findings, check.CheckSurroundings(c, info, files, r)...)
	if info.Weights == nil && info.Category != answer.Unknown && readErr == nil && info.Category != answer.Diffusers && !unreadPrograms[info.Layout] {
		finding.Add(info, finding.WeightsMissing, "", "no weight files", c.HowToGet(""))
	}
	info.Findings = dropDuplicateReports(dropReaderErrors(info.Findings, files))
	finding.Sort(info.Findings)
	info.Findings = slices.Compact(info.Findings)
	return info, nil
}

// unreadPrograms are the layouts whose programs hold their weights in a form that is
// not read.
var unreadPrograms = map[string]bool{"core ml": true, "litert": true, "tensorflow saved model": true}

// dropReaderErrors leaves out what only repeats, as a reader's failure, that a file
// holds no content.
func dropReaderErrors(findings []answer.Finding, files []tree.File) []answer.Finding {
	return slices.DeleteFunc(findings, func(f answer.Finding) bool {
		return (f.Code == finding.FileUnreadable || f.Code == finding.ConfigUnreadable) && tree.HasProblem(files, f.File)
	})
}

// echoRank orders the codes under which several readers may report one failure
// of a file: the most telling is kept.
var echoRank = map[string]int{
	finding.WeightsTruncated: 1, finding.WeightsUnreadable: 2, finding.ConfigUnreadable: 3, finding.TokenizerUnreadable: 4, finding.FileUnreadable: 5,
}

// dropDuplicateReports leaves out what says once more, in the same words or of the same
// file, that it cannot be read; and that nothing was recognized where it is said
// that the config is missing, or that the weights cannot be read.
func dropDuplicateReports(findings []answer.Finding) []answer.Finding {
	best := map[string]int{}
	said := false
	for _, f := range findings {
		if rank := echoRank[f.Code]; rank > 0 && (best[f.File] == 0 || rank < best[f.File]) {
			best[f.File] = rank
		}
		said = said || f.Code == finding.ConfigMissing || f.Severity == answer.SeverityError && (f.Code == finding.WeightsUnreadable || f.Code == finding.WeightsTruncated)
	}
	return slices.DeleteFunc(findings, func(f answer.Finding) bool {
		rank := echoRank[f.Code]
		return rank > 0 && rank > best[f.File] || said && f.Code == finding.NothingRecognized
	})
}

// severityOf says how much it matters that a file holds no content: the weights in
// use, and what describes the model, make loading fail; weights that nobody uses
// are a warning; the rest is worth knowing.
func severityOf(r *weights.Reader) func(*tree.File) answer.Severity {
	return func(f *tree.File) answer.Severity {
		base := f.Base()
		switch {
		case f.Problem != nil && f.Problem.Kind == fault.Incomplete:
			return answer.SeverityWarning
		case r != nil && (slices.Contains(r.Info.Files, f.Name) || f.Name == r.Info.Index):
			return answer.SeverityError
		case path.Ext(base) == ".json" && f.Dir() == ".", tokenizer.FileOf(base), base == config.FileConfig:
			return answer.SeverityError
		case format.IsWeights(base):
			return answer.SeverityWarning
		}
		return answer.SeverityNote
	}
}

// inspectTokenizer fills in the tokenizer of the checkpoint or of its base
// model. Only a category that works on text is missing one.
func (l *Loader) inspectTokenizer(c *checkpoint.Checkpoint, info *answer.Info, files []tree.File) *tokens.Description {
	t, err := l.search().Find(context.Background(), c.FS, c.Dir, tokens.Describe)
	switch kind := fault.KindOf(err); {
	case err == nil:
		info.Tokenizer = t.TokenizerInfo
		info.Findings = append(info.Findings, t.Findings...)
		check.CheckPadToken(c, info, t)
		check.CheckVocabulary(c, info, t)
		info.Findings = append(info.Findings, check.Check(t, configOf(c, t))...)
		return t
	case kind != fault.NotFound:
		var elsewhere *answer.SearchError
		if errors.As(err, &elsewhere) {
			finding.Add(info, finding.TokenizerUnreadable, tree.SeenFrom(c.Dir, fault.PathOf(err)), finding.WithoutPath(err), finding.HintOf(err))
		} else if !tree.HasProblem(files, fault.PathOf(err)) {
			finding.Add(info, finding.TokenizerUnreadable, fault.PathOf(err), finding.WithoutPath(err), finding.HintOf(err))
		}
	case info.Category == answer.Transformers || info.Category == answer.ASR || info.Category == answer.SAE:
		if len(carriesTokenizer(info)) == 0 && !slices.Contains(config.Keys()["no_text"], string(info.Task)) && !hasOtherTokenizer(c) {
			info.Findings = append(info.Findings, tokenizerMissing(info, err))
		}
	}
	return nil
}

// configOf is the config of the model that a tokenizer belongs to, nothing where it
// has none that can be read. An adapter and an autoencoder have none of their own
// that speaks of tokens.
func configOf(c *checkpoint.Checkpoint, t *tokens.Description) config.Members {
	if t.Origin == answer.OriginCheckpoint && c.Doc.File == config.FileConfig {
		return c.Config()
	}
	dir := c.Dir
	if t.Origin != answer.OriginCheckpoint {
		dir = t.Path
	}
	object, _ := config.ReadObject(c.FS, dir, config.FileConfig)
	return config.NewMembers(object)
}

// tokenizerMissing says that no tokenizer was found. An autoencoder has none of its
// own, and is sound without its base model's beside it.
func tokenizerMissing(info *answer.Info, err error) answer.Finding {
	message := finding.WithoutPath(err)
	var search *answer.SearchError
	if errors.As(err, &search) {
		message = search.Summary()
	}
	f := finding.New(finding.TokenizerMissing, "", message, finding.HintOf(err))
	if info.IsSAE {
		f.Severity = answer.SeverityNote
	}
	return f
}

// hasOtherTokenizer tells whether a tokenizer is here in a form that is not read:
// OpenVINO's.
func hasOtherTokenizer(c *checkpoint.Checkpoint) bool { return c.Has("openvino_tokenizer.xml") }
