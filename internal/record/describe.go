package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"omniloader/fixtures"
	"omniloader/internal/bench"
	"omniloader/internal/quantity"
	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/undertest"
)

// featureText is the text of a feature without the step that creates its checkpoint.
type featureText struct {
	head string // before that step
	tail string // after it
}

func (t *featureText) with(given string) []byte { return []byte(t.head + given + t.tail) }

// describe writes a feature whose scenarios check that the loader finds in the
// recording what it finds now.
func describe(ctx context.Context, r *fixtures.Recording) (*featureText, error) {
	fsys, remove, err := writeCheckpoint(r)
	if err != nil {
		return nil, err
	}
	defer remove()
	d := &describer{name: r.Name, dir: path.Join(modelsDir, r.Name), fsys: fsys, loader: loader.New()}
	info, err := d.loader.Inspect(fsys, d.dir)
	if err != nil {
		return nil, err
	}
	d.identity()
	d.autoencoder(info)
	d.tokenizer()
	d.weights(info)
	d.findings(info)
	if err := d.costs(ctx); err != nil {
		return nil, err
	}
	head := "@recorded\nFeature: " + r.Name + "\n" + wrap("  ", fmt.Sprintf(
		"What the loader finds in the checkpoint %q, recorded without its weights: %s. "+
			"The bounds allow ten times the time that was measured when it was recorded, and twice the memory.", r.Name, contents(r))) +
		"\n  Background:\n"
	if r.HasLinks() {
		head += "    Given a real temporary directory\n"
	}
	return &featureText{head, d.b.String()}, nil
}

// contents summarises the files of a recording.
func contents(r *fixtures.Recording) string {
	files, size := 0, int64(0)
	for _, f := range r.Files {
		if f.Link == "" && !strings.HasSuffix(f.Name, "/") {
			files++
			size += f.Size
		}
	}
	return fmt.Sprintf("%s, %s in all", counted(files, "file"), quantity.FormatSize(float64(size)))
}

// counted writes a number and a noun, in the plural unless the number is 1.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// wrap breaks a text into lines for a feature.
func wrap(indent, prose string) string {
	const width = 96
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(prose) {
		if len(line)+1+len(word) > width && line != indent {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
	return b.String()
}

// describer writes the rules and scenarios of a feature.
type describer struct {
	name, dir string
	fsys      fs.FS
	loader    *loader.Loader
	b         strings.Builder
	thens     int // Then steps of the scenario so far
}

func (d *describer) rule(name string) { d.b.WriteString("\n  Rule: " + name + "\n") }

func (d *describer) scenario(name, tag, when string) {
	d.b.WriteByte('\n')
	if tag != "" {
		d.b.WriteString("    " + tag + "\n")
	}
	d.b.WriteString("    Scenario: " + name + "\n      When " + when + "\n")
	d.thens = 0
}

func (d *describer) then(step string) {
	word := "And"
	if d.thens == 0 {
		word = "Then"
	}
	d.thens++
	d.b.WriteString("      " + word + " " + step + "\n")
}

// quotable says whether each of these texts can be written between quotes in a step.
func quotable(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool {
		return s == "" || strings.Contains(s, `"`) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	})
}

// fieldIs writes a step that checks a field, if its text can be quoted.
func (d *describer) fieldIs(field, value string) {
	if quotable(value) {
		d.then(fmt.Sprintf("the %s is \"%s\"", field, value))
	}
}

// listIs writes a step that checks the entries of a list, or only their number if there
// are more than 12.
func (d *describer) listIs(field string, values []string) {
	const limit = 12
	switch {
	case len(values) == 0:
		d.then("there are no " + field)
	case len(values) <= limit && quotable(values...):
		d.then(fmt.Sprintf("the %s are \"%s\"", field, strings.Join(values, ", ")))
	case len(values) == 1:
		d.then("there is 1 " + field)
	default:
		d.then(fmt.Sprintf("there are %d %s", len(values), field))
	}
}

// isOrIsNot writes the step before+after, with "not " in between if is is false.
func (d *describer) isOrIsNot(is bool, before, after string) {
	if is {
		d.then(before + after)
		return
	}
	d.then(before + "not " + after)
}

// fails writes a step that checks the kind of err, which reading returned.
func (d *describer) fails(err error) {
	kind := fault.KindOf(err)
	if !slices.Contains(undertest.Kinds(), kind) { // a kind of one file format
		if name := path.Base(fault.PathOf(err)); quotable(name) {
			d.then(fmt.Sprintf("the failure names \"%s\"", name))
		}
		return
	}
	if file := strings.TrimPrefix(fault.PathOf(err), d.dir+"/"); file != d.dir && quotable(file) {
		d.then(fmt.Sprintf("reading fails with %q in \"%s\"", kind, file))
		return
	}
	d.then(fmt.Sprintf("reading fails with %q", kind))
}

// identity writes the rule about what the model info says.
func (d *describer) identity() {
	info, err := d.loader.ModelInfo(d.fsys, d.dir)
	if err != nil {
		d.rule("It is not recognised, and the error says why")
		d.scenario("Reading the model info of "+d.name+" fails", "", "the model info is read")
		d.fails(err)
		return
	}
	d.rule("It is recognised")
	d.scenario("What "+d.name+" is", "", "the model info is read")
	if info.Architecture != answer.UnknownName || info.Category == answer.Unknown {
		d.fieldIs("architecture", info.Architecture)
	}
	if len(info.Architectures) > 1 {
		d.listIs("architectures", info.Architectures)
	}
	if info.ModelType != answer.UnknownName || info.Category == answer.Unknown {
		d.fieldIs("model type", info.ModelType)
	}
	d.fieldIs("category", string(info.Category))
	d.fieldIs("task", string(info.Task))
	d.fieldIs("layout", info.Layout)
	d.isOrIsNot(info.IsSupported, "the model is ", "supported")
	if info.RemoteCode {
		d.then("loading needs remote code")
	}
	if info.IsSupported && info.LoadsAs != answer.UnknownName && info.LoadsAs != info.Architecture && quotable(info.LoadsAs) {
		d.then(fmt.Sprintf("it loads as \"%s\"", info.LoadsAs))
	}
	if info.IsOmni {
		d.then("the model is omni")
	}
	if info.HasTalker {
		d.then("the model has a talker")
	}
	d.isOrIsNot(info.IsQuantized, "the model is ", "quantized")
	if q := info.Quantization; q != nil {
		d.fieldIs("quantization method", q.Method)
		if q.Bits != nil {
			d.then("the quantization bits are " + strconv.FormatFloat(*q.Bits, 'f', -1, 64))
		}
	}
	if info.HasCustomFiles {
		d.listIs("custom files", info.CustomFiles)
	}
	if info.BaseModel != nil {
		d.fieldIs("base model", *info.BaseModel)
	}
	if len(info.Candidates) > 0 {
		d.listIs("candidates", info.Candidates)
	}
}

// autoencoder writes the rule about a sparse autoencoder, if the checkpoint is one.
func (d *describer) autoencoder(info *answer.Info) {
	s := info.SAE
	if s == nil {
		return
	}
	d.rule("It is a sparse autoencoder, and its base model and layers are recognised")
	d.scenario("What "+d.name+" was trained on", "", "the checkpoint is inspected")
	d.then("the model is an SAE")
	d.fieldIs("sae family", s.Family)
	d.fieldIs("sae kind", s.Kind)
	if s.BaseModel == nil {
		d.then("there is no base model")
	} else {
		d.fieldIs("sae base model", *s.BaseModel)
		if s.BaseModelSource != nil {
			d.fieldIs("sae base model source", *s.BaseModelSource)
		}
	}
	d.listIs("sae sites", s.Sites)
	layers := make([]string, len(s.Layers))
	for i, n := range s.Layers {
		layers[i] = strconv.Itoa(n)
	}
	d.listIs("sae layers", layers)
}

// tokenizer writes the rule about the tokenizer, or about the error of looking for it.
func (d *describer) tokenizer() {
	t, err := d.loader.Tokenizer(d.fsys, d.dir)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			d.rule("It has no tokenizer")
		} else {
			d.rule("Its tokenizer cannot be read, and the error says why")
		}
		d.scenario("Looking for a tokenizer in "+d.name, "", "the tokenizer is read")
		d.fails(err)
		return
	}
	d.rule("Its tokenizer is found")
	d.scenario("The tokenizer of "+d.name, "", "the tokenizer is read")
	d.fieldIs("type", t.Type)
	d.fieldIs("class", t.Class)
	if t.VocabSize != nil {
		d.then(fmt.Sprintf("the vocab size is %d", *t.VocabSize))
	}
	if t.PadToken == nil {
		d.then("there is no pad token")
	} else {
		d.fieldIs("pad token", *t.PadToken)
		if t.PadTokenSource != nil {
			d.fieldIs("pad token source", *t.PadTokenSource)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(t.SpecialTokens)) {
		if role == "bos_token" || role == "eos_token" || role == "unk_token" {
			d.fieldIs("special tokens "+strings.ReplaceAll(role, "_", " "), t.SpecialTokens[role])
		}
	}
}

// weights writes the rule about the weight files.
func (d *describer) weights(info *answer.Info) {
	w := info.Weights
	if w == nil {
		d.rule("It has no weights")
		d.scenario("Looking for weights in "+d.name, "", "the checkpoint is inspected")
		d.then("there are no weights")
		d.then(fmt.Sprintf("the size is %d", info.Size))
		return
	}
	state, rule := "complete", "Its weights are described from their headers, and are complete"
	switch {
	case w.Complete == nil:
		state, rule = "", "Its weights are described as far as they are read"
	case !*w.Complete:
		state, rule = "incomplete", "Its weights are described from their headers, and are incomplete"
	}
	d.rule(rule)
	d.scenario("The weights of "+d.name, "", "the checkpoint is inspected")
	d.fieldIs("weights format", w.Format)
	if len(w.Files) == 1 {
		d.then("there is 1 weights file")
	} else {
		d.then(fmt.Sprintf("there are %d weights files", len(w.Files)))
	}
	if w.Parameters != nil {
		d.then(fmt.Sprintf("the weights parameters are %d", *w.Parameters))
	}
	d.then(fmt.Sprintf("the weights bytes are %d", w.Bytes))
	for _, dtype := range slices.Sorted(maps.Keys(w.DTypes)) {
		name := strings.ReplaceAll(strings.ToLower(dtype), "_", " ")
		if isFieldName(name) {
			d.then(fmt.Sprintf("the weights dtypes %s are %d", name, w.DTypes[dtype]))
		}
	}
	if state != "" {
		d.then("the weights are " + state)
	}
	d.then(fmt.Sprintf("the size is %d", info.Size))
}

// isFieldName says whether a step can use this as the name of a field.
func isFieldName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789 ") == ""
}

// findings writes the rule about the findings, each once, at most 40 of them.
func (d *describer) findings(info *answer.Info) {
	const limit = 40
	var lines []string
	worst := map[answer.Severity]bool{}
	for _, f := range info.Findings {
		worst[f.Severity] = true
		article := "a"
		if f.Severity == answer.SeverityError {
			article = "an"
		}
		line := fmt.Sprintf("%s %s \"%s\" is reported", article, f.Severity, f.Code)
		if quotable(f.File) {
			line += fmt.Sprintf(" for \"%s\"", f.File)
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	switch {
	case worst[answer.SeverityError]:
		d.rule("Errors in it are reported")
	case len(lines) > 0:
		d.rule("It has no errors, and what is notable is reported")
	default:
		d.rule("Nothing is wrong with it")
	}
	d.scenario("The findings about "+d.name, "", "the checkpoint is inspected")
	for _, line := range lines[:min(limit, len(lines))] {
		d.then(line)
	}
	if len(lines) > limit {
		d.then(fmt.Sprintf("there are %d findings", len(info.Findings)))
	}
	switch {
	case len(lines) == 0:
		d.then("no finding is reported")
	case !worst[answer.SeverityError]:
		d.then("no error is reported")
	}
	if len(lines) > 0 && !worst[answer.SeverityWarning] {
		d.then("no warning is reported")
	}
}

// costs measures the model info and the inspection, and writes scenarios with bounds on
// their time and memory.
func (d *describer) costs(ctx context.Context) error {
	d.rule("Reading it stays fast")
	snake := strings.Join(strings.FieldsFunc(strings.ToLower(d.name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "_")
	if snake == "" {
		snake = "checkpoint"
	}
	for _, q := range []struct {
		scenario, benchmark, when string
		call                      func() (any, error)
	}{
		{"Reading the model info of " + d.name, "model_info", "the model info is read", func() (any, error) { return d.loader.ModelInfo(d.fsys, d.dir) }},
		{"Inspecting " + d.name, "inspection", "the checkpoint is inspected", func() (any, error) { return d.loader.Inspect(d.fsys, d.dir) }},
	} {
		if _, err := q.call(); err != nil {
			continue // the cost of failures is bounded by the built-in scenarios
		}
		b, err := measure(ctx, q.call)
		if err != nil {
			return err
		}
		d.scenario(q.scenario, "@benchmark:recorded_"+snake+"_"+q.benchmark, q.when)
		d.then("the median latency is below " + quantity.FormatDuration(b.latency))
		d.then("no more than " + quantity.FormatSize(b.memory) + " is allocated per call")
		if b.delta > bench.DefaultMemoryDeltaLimit {
			d.then("the memory delta is below " + quantity.FormatSize(b.delta))
		}
	}
	return nil
}

// bounds are upper limits for one call.
type bounds struct {
	latency float64 // seconds
	memory  float64 // bytes
	delta   float64 // bytes that the answer keeps alive
}

// Bounds are this many times what was measured, and not less than a minimum, because the
// machine of a CI server may be busy, and a single block of the garbage collector large.
const (
	latencyRoom, leastLatency = 10, 1e-3
	memoryRoom, leastMemory   = 2, 10e3
)

// measure measures call, with fewer calls if one takes long, and returns bounds for it.
func measure(ctx context.Context, call func() (any, error)) (bounds, error) {
	first, err := bench.Measure(ctx, bench.Plan{Iterations: 1}, call)
	if err != nil {
		return bounds{}, callError(err)
	}
	const budget = 0.1 // seconds
	n := int(budget / max(1e-6, first.Summary().Median))
	m, err := bench.Measure(ctx, bench.Plan{Iterations: max(3, min(n, 20)), Warmup: 1, Memory: true}, call)
	if err != nil {
		return bounds{}, callError(err)
	}
	return boundsOf(m), nil
}

func boundsOf(m *bench.Measurement) bounds {
	return bounds{
		latency: roundUp(max(leastLatency, m.Summary().Median*latencyRoom)),
		memory:  roundUp(max(leastMemory, float64(m.Memory.BytesPerCall)*memoryRoom)),
		delta:   roundUp(max(leastMemory, float64(m.Memory.LiveDelta)*memoryRoom)),
	}
}

// roundUp rounds up to 1, 2 or 5 times a power of ten.
func roundUp(value float64) float64 {
	for unit := 1e-9; ; unit *= 10 {
		for _, step := range []float64{1, 2, 5} {
			// the tolerance covers rounding errors of the product
			if figure := step * unit; value <= figure*(1+1e-6) {
				return figure
			}
		}
	}
}

// callError returns the error of the operation itself, without that of the measurement
// around it.
func callError(err error) error {
	var failed *bench.CallError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
