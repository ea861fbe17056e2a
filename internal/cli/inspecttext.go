package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"omniloader/internal/quantity"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

// fact is one line of the report on a checkpoint.
type fact struct{ name, value string }

func (p *program) describeCheckpoint(info *answer.Info) {
	fmt.Fprintln(p.out, p.bold(printable(info.Path)))
	facts := factsOf(info)
	width := 0
	for _, f := range facts {
		width = max(width, len(f.name))
	}
	for _, f := range facts {
		p.printLabelled("  "+f.name+strings.Repeat(" ", width-len(f.name)+2), f.value)
	}
	p.describeFindings(info.Findings)
}

// factsOf are the facts to show of a checkpoint, the most important first. What is not
// known, or is the usual case, is left out.
func factsOf(info *answer.Info) []fact {
	var facts factList
	facts.addKind(info)
	facts.addOrigin(info)
	facts.addContent(info)
	if v := info.Verified; v != nil {
		facts.add("verified", "%s", verifiedText(v))
	}
	facts.add("size", "%s", byteText(info.Size))
	return facts
}

type factList []fact

func (l *factList) add(name, format string, args ...any) {
	*l = append(*l, fact{name, fmt.Sprintf(format, args...)})
}

// addKind adds what kind of model it is, and whether it can be loaded.
func (l *factList) addKind(info *answer.Info) {
	kind := string(info.Category)
	if info.Task != "" && info.Task != answer.UnknownName {
		kind += ", " + string(info.Task)
	}
	if info.IsOmni {
		kind += ", omni"
	}
	if info.HasTalker {
		kind += ", with a talker"
	}
	l.add("category", "%s", kind)
	l.add("decided by", "%s", info.DecidedBy)
	if len(info.Architectures) > 0 {
		l.add("architecture", "%s", strings.Join(info.Architectures, ", "))
	}
	if info.ModelType != answer.UnknownName {
		l.add("model type", "%s", info.ModelType)
	}
	l.add("layout", "%s", info.Layout)
	if info.IsSupported {
		l.add("supported", "%s", supportText(info))
	} else if info.Error != nil {
		l.add("supported", "no: %s", *info.Error)
	}
}

// addOrigin adds how the model was made: quantized, trained on a base model, with code
// of its own.
func (l *factList) addOrigin(info *answer.Info) {
	if q := info.Quantization; q != nil {
		l.add("quantized", "%s", quantizationText(q))
	}
	if s := info.SAE; s != nil {
		l.add("SAE", "%s", saeText(s))
	}
	if a := info.Adapter; a != nil && a.Kind != answer.UnknownName {
		l.add("adapter", "%s", adapterText(a))
	}
	if info.BaseModel != nil {
		l.add("base model", "%s", *info.BaseModel)
	}
	if info.HasCustomFiles {
		l.add("custom code", "%s", strings.Join(info.CustomFiles, ", "))
	}
}

// addContent adds what is in the files, and what loading them takes.
func (l *factList) addContent(info *answer.Info) {
	if t := info.Tokenizer; t != nil {
		l.add("tokenizer", "%s", tokenizerText(t))
	}
	if w := info.Weights; w != nil {
		l.add("weights", "%s", weightsText(w))
	} else if info.IsSupported && info.Category != answer.Diffusers && !slices.ContainsFunc(info.Findings, func(f answer.Finding) bool { return f.Code == finding.WeightsMissing }) {
		l.add("weights", "in the files of %s, which are not read; parameters not known", info.Layout)
	}
	if info.ContextLength != nil {
		l.add("context", "%d tokens (%s)", *info.ContextLength, info.ContextLengthSource)
	}
	if m := info.Memory; m != nil {
		l.add("memory", "%s", memoryText(m))
	}
	if t := info.ChatTemplate; t != nil {
		l.add("chat template", "%s", chatTemplateText(t))
	}
	if c := info.Card; c != nil && c.License != "" {
		license := c.License
		if c.LicenseName != "" {
			license += ", " + c.LicenseName
		}
		l.add("licence", "%s (model card)", license)
	}
}

func quantizationText(q *answer.Quantization) string {
	out := q.Method
	if q.Bits != nil {
		out += fmt.Sprintf(", %.3g bits", *q.Bits)
	}
	if q.Detail != "" {
		out += ", " + q.Detail
	}
	return out + " (" + q.Source + ")"
}

// memoryText says how much memory loading takes: the weights as they are stored, and
// the key-value cache for the context.
func memoryText(m *answer.MemoryInfo) string {
	out := byteText(m.Total) + " to load: weights of " + byteText(m.Weights)
	if m.KVCache != nil {
		out += fmt.Sprintf(", key-value cache of %s for %d tokens", byteText(*m.KVCache), *m.Context)
	}
	if len(m.Notes) > 0 {
		out += "; " + strings.Join(m.Notes, "; ")
	}
	return out
}

// verifiedText says how many files match their recorded hash, and which have none.
func verifiedText(v *answer.Verification) string {
	out := "nothing"
	if known := v.Files + len(v.Mismatched); known > 0 {
		out = fmt.Sprintf("%d of %s with a recorded hash match it", v.Files, quantity.Count(known, "file"))
	}
	if n := len(v.Unrecorded); n > 0 {
		const few = 3
		names := strings.Join(v.Unrecorded[:min(n, few)], ", ")
		if n > few {
			names += fmt.Sprintf(" and %d more", n-few)
		}
		out += "; no hash is recorded for " + names
	}
	return out
}

func chatTemplateText(t *answer.ChatTemplate) string {
	if len(t.Names) == 1 && t.Source != "" {
		return "yes (" + t.Source + ")"
	}
	return strings.Join(t.Names, ", ") + " (" + t.Source + ")"
}

func supportText(info *answer.Info) string {
	out := "yes"
	if info.LoadsAs != "" && info.LoadsAs != answer.UnknownName && info.LoadsAs != info.Architecture {
		out += ", as " + info.LoadsAs
	}
	if info.RemoteCode {
		out += ", only by running its own code"
	}
	return out
}

func saeText(s *answer.SAEInfo) string {
	parts := []string{s.Family}
	if len(s.Sites) > 0 {
		parts = append(parts, strings.Join(s.Sites, ", "))
	}
	switch n := len(s.Layers); {
	case n == 1:
		parts = append(parts, fmt.Sprintf("layer %d", s.Layers[0]))
	case n > 1:
		parts = append(parts, fmt.Sprintf("%d layers from %d to %d", n, s.Layers[0], s.Layers[n-1]))
	}
	if s.Architecture != "" {
		parts = append(parts, s.Architecture)
	}
	if s.DIn != nil && s.DSAE != nil {
		parts = append(parts, fmt.Sprintf("%d features of %d inputs", *s.DSAE, *s.DIn))
	}
	return strings.Join(parts, "; ")
}

func adapterText(a *answer.AdapterInfo) string {
	parts := []string{a.Kind}
	if a.Rank != nil {
		parts = append(parts, fmt.Sprintf("rank %d", *a.Rank))
	}
	if a.Alpha != nil {
		parts = append(parts, fmt.Sprintf("alpha %g", *a.Alpha))
	}
	if len(a.Targets) > 0 {
		parts = append(parts, "changes "+finding.JoinFirst(a.Targets))
	}
	return strings.Join(parts, "; ")
}

func tokenizerText(t *answer.TokenizerInfo) string {
	parts := []string{t.Type}
	if t.Class != answer.UnknownName {
		parts = append(parts, t.Class)
	}
	if t.VocabSize != nil {
		parts = append(parts, fmt.Sprintf("%d tokens", *t.VocabSize))
	}
	if t.PadToken != nil {
		source := ""
		if t.PadTokenSource != nil {
			source = " from " + *t.PadTokenSource
		}
		parts = append(parts, fmt.Sprintf("pad token %s%s", *t.PadToken, source))
	}
	if t.Origin != "checkpoint" {
		parts = append(parts, fmt.Sprintf("of the %s in %s", t.Origin, t.Path))
	}
	return strings.Join(parts, ", ")
}

func weightsText(w *answer.WeightsInfo) string {
	parts := []string{w.Format, quantity.Count(len(w.Files), "file"), byteText(w.Bytes)}
	if w.Parameters != nil {
		parts = append(parts, countText(*w.Parameters)+" parameters")
	} else {
		parts = append(parts, "parameters not known")
	}
	var types []string
	for t := range w.DTypes {
		types = append(types, t)
	}
	slices.SortFunc(types, func(a, b string) int {
		if w.DTypes[a] != w.DTypes[b] {
			return int(min(max(w.DTypes[b]-w.DTypes[a], -1), 1))
		}
		return strings.Compare(a, b)
	})
	if len(types) > 0 {
		parts = append(parts, strings.Join(types, " and "))
	}
	if w.BitsPerWeight != nil {
		parts = append(parts, fmt.Sprintf("%.3g bits a weight", *w.BitsPerWeight))
	}
	if w.Variant != "" {
		parts = append(parts, "variant "+w.Variant)
	}
	if n := len(w.Ignored); n > 0 {
		parts = append(parts, quantity.Count(n, "other file")+" not used")
	}
	switch {
	case w.Complete == nil:
		parts = append(parts, "not known whether complete")
	case !*w.Complete:
		incomplete := "incomplete"
		if n := len(w.Missing); n > 0 {
			incomplete = fmt.Sprintf("incomplete: %d missing", n)
		}
		parts = append(parts, incomplete)
	}
	return strings.Join(parts, ", ")
}

var severityColors = map[answer.Severity]text.Color{
	answer.SeverityError:   text.FgRed,
	answer.SeverityWarning: text.FgYellow,
	answer.SeverityNote:    text.FgCyan,
}

func (p *program) describeFindings(findings []answer.Finding) {
	if len(findings) == 0 {
		fmt.Fprintln(p.out, "\n  nothing wrong was found")
		return
	}
	fmt.Fprintln(p.out)
	for _, f := range findings {
		message := f.Message
		if f.File != "" {
			message = f.File + ": " + message
		}
		p.printLabelled(fmt.Sprintf("  %-9s", f.Severity), message+" ["+f.Code+"]", severityColors[f.Severity])
		if f.Hint != "" {
			p.printLabelled("           hint: ", f.Hint)
		}
	}
}
