package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"omniloader/internal/report"
	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
)

func (p *program) inspectCommand() *cobra.Command {
	var s inspectSettings
	c := &cobra.Command{
		Use:   "inspect PATH…",
		Short: "Say what a checkpoint on disk is, without loading its weights",
		Long: `Says what each checkpoint is: category, architecture, tokenizer, weights, the memory
they take, and what is wrong with it. PATH is the directory that has its config.json,
or one of its weights files, of which alone it tells then.
Of the weights only the headers are read, and no code of the checkpoint is run.
"omniloader findings" explains what can be found.`,
		Example: `  omniloader inspect ~/models/llama-3-8b
  omniloader inspect models/*             several at once
  omniloader inspect --context 32768 .    with the memory for a context of that length
  omniloader inspect --verify .           reads every file, and compares it with its hash
  omniloader inspect --json . | jq -r .category`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return unable("omniloader inspect PATH…", "inspect takes the directory of a checkpoint, found none")
			}
			return nil
		},
		RunE: func(c *cobra.Command, paths []string) error {
			if s.context < 0 {
				return unable("give the number of tokens, such as --context 32768", "a context of %d tokens", s.context)
			}
			options := []loader.Option{loader.WithContext(s.context)}
			table, err := readArchitectures(s.architectures, c.Flags().Changed("architectures"))
			if err != nil {
				return err
			}
			if table != "" {
				added, err := loader.ReadArchitectures(s.architectures, strings.NewReader(table))
				if err != nil {
					return err
				}
				options = append(options, loader.WithArchitectures(added))
			}
			return p.inspect(c.Context(), paths, loader.New(options...), s)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		Annotations: map[string]string{
			"held":   "no checkpoint has an error-level finding",
			"broken": "a checkpoint has an error-level finding",
			"unable": "could not judge: no such directory, or it cannot be listed",
		},
	}
	c.Flags().BoolVar(&s.asJSON, "json", false, "print one JSON object a line, one for each path")
	c.Flags().BoolVar(&s.verify, "verify", false, "read every file, weights as well, and compare it with the hash that its\ndownload left: in a Hugging Face cache, or where hf download put it")
	c.Flags().Int64Var(&s.context, "context", 0, "size the key-value cache for so many `tokens`, not\nthe model's own context")
	c.Flags().StringVar(&s.architectures, "architectures", "", architecturesHelp)
	_ = c.MarkFlagFilename("architectures", "tsv")
	return c
}

// inspectSettings are the flags of inspect.
type inspectSettings struct {
	asJSON, verify bool
	context        int64 // tokens, 0 for the model's own
	architectures  string
}

// inspect reports on every path, also behind one that cannot be read.
func (p *program) inspect(ctx context.Context, paths []string, l *loader.Loader, s inspectSettings) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	var unreadable error
	broken := false
	inspected := p.inspectAll(ctx, paths, l, s.verify)
	for i := range paths {
		info, err := awaited(ctx, func() (*answer.Info, error) { return inspected(i) })
		if ctx.Err() != nil {
			return unable("what was said before is complete", "interrupted")
		}
		if err != nil {
			if unreadable != nil {
				p.complain(unreadable)
			}
			unreadable = err
			continue
		}
		broken = broken || slices.ContainsFunc(info.Findings, func(f answer.Finding) bool { return f.Severity == answer.SeverityError })
		if s.asJSON {
			if err := encoder.Encode(info); err != nil {
				return standardOutput(err)
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		p.describeCheckpoint(info)
	}
	switch {
	case unreadable != nil:
		return unreadable
	case broken:
		return errBroken
	}
	return nil
}

// inspectAll inspects several at once, a few ahead of the one that is reported;
// where whole files are read, one by one. The answer to each path can be had once,
// in their order.
func (p *program) inspectAll(ctx context.Context, paths []string, l *loader.Loader, verify bool) func(i int) (*answer.Info, error) {
	if verify || len(paths) == 1 {
		return func(i int) (*answer.Info, error) { return p.inspectDisk(ctx, paths[i], l, verify) }
	}
	type inspected struct {
		info *answer.Info
		err  error
	}
	atOnce := runtime.GOMAXPROCS(0)
	ahead := make([]chan inspected, min(4*atOnce, len(paths))) // of path i in i modulo its length
	running := make(chan struct{}, atOnce)
	start := func(i int) {
		c := make(chan inspected, 1)
		ahead[i%len(ahead)] = c
		go func() {
			running <- struct{}{}
			defer func() { <-running }()
			if err := ctx.Err(); err != nil {
				c <- inspected{nil, err}
				return
			}
			info, err := p.inspectDisk(ctx, paths[i], l, verify)
			c <- inspected{info, err}
		}()
	}
	for i := range ahead {
		start(i)
	}
	return func(i int) (*answer.Info, error) {
		a := <-ahead[i%len(ahead)]
		if next := i + len(ahead); next < len(paths) {
			start(next)
		}
		return a.info, a.err
	}
}

// inspectDisk inspects a directory of the real filesystem. The loader is given
// the whole of it, as a base model's tokenizer may lie beside the checkpoint.
func (p *program) inspectDisk(ctx context.Context, path string, l *loader.Loader, verify bool) (*answer.Info, error) {
	notDirectory := isDirectory(path)
	if notDirectory != nil {
		advice := "name the directory that has the checkpoint's config.json"
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() {
			advice = "name its directory: " + filepath.Dir(path)
		}
		if _, _, isWeights := loader.OnlyWeights(os.DirFS("."), filepath.ToSlash(path)); err != nil || !isWeights || !info.Mode().IsRegular() {
			return nil, unable(advice, "%w", notDirectory)
		}
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	root := filepath.VolumeName(absolute) + string(filepath.Separator)
	dir, err := filepath.Rel(root, absolute)
	if err != nil {
		return nil, err
	}
	outside := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	fsys, dir := os.DirFS(root), filepath.ToSlash(dir)
	if notDirectory != nil { // one weights file of a directory
		fsys, dir, _ = loader.OnlyWeights(fsys, dir)
	}
	info, err := l.Inspect(fsys, dir)
	if err == nil && verify {
		bar := p.newBytesBar()
		var findings []answer.Finding
		info.Verified, findings, err = l.Verify(ctx, fsys, dir, bar.Progress)
		info.Findings = finding.Merge(info.Findings, findings)
		bar.Stop()
	}
	if err != nil {
		var place *fault.Error
		if errors.As(err, &place) {
			place.Path = outside(place.Path)
		}
		return nil, err
	}
	info.Path, info.Name = path, filepath.Base(absolute)
	if t := info.Tokenizer; t != nil {
		t.Placed(outside)
	}
	return info, nil
}

// newBytesBar is the progress of reading large files; it draws on a terminal
// alone.
func (p *program) newBytesBar() *report.BytesBar {
	if o := p.err.options(); p.err.terminal && o.Color {
		return report.NewBytesBar(p.err, o)
	}
	return &report.BytesBar{}
}

// fact is one line of the report on a checkpoint.
type fact struct{ name, value string }

func (p *program) describeCheckpoint(info *answer.Info) {
	fmt.Fprintln(p.out, p.heading(printable(info.Path)))
	facts := factsOf(info)
	width := 0
	for _, f := range facts {
		width = max(width, len(f.name))
	}
	for _, f := range facts {
		p.labelled("  "+f.name+strings.Repeat(" ", width-len(f.name)+2), f.value)
	}
	p.describeFindings(info.Findings)
}

// labelled writes prose behind a label, and wraps it below itself.
func (p *program) labelled(label, prose string, colors ...text.Color) {
	indent := strings.Repeat(" ", len(label))
	var b strings.Builder
	inner := program{out: &sink{w: &b, width: p.out.width}}
	inner.wrapped(indent, printable(prose))
	fmt.Fprint(p.out, p.color(label, colors...), strings.TrimPrefix(b.String(), indent))
}

// factsOf are the key facts, the most telling first. What is not known, or is
// the usual case, is left out.
func factsOf(info *answer.Info) []fact {
	var facts []fact
	add := func(name, format string, args ...any) {
		facts = append(facts, fact{name, fmt.Sprintf(format, args...)})
	}
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
	add("category", "%s", kind)
	add("decided by", "%s", info.DecidedBy)
	if len(info.Architectures) > 0 {
		add("architecture", "%s", strings.Join(info.Architectures, ", "))
	}
	if info.ModelType != answer.UnknownName {
		add("model type", "%s", info.ModelType)
	}
	add("layout", "%s", info.Layout)
	if info.IsSupported {
		add("supported", "%s", supportText(info))
	} else if info.Error != nil {
		add("supported", "no: %s", *info.Error)
	}
	if q := info.Quantization; q != nil {
		bits := ""
		if q.Bits != nil {
			bits = fmt.Sprintf(", %.3g bits", *q.Bits)
		}
		if q.Detail != "" {
			bits += ", " + q.Detail
		}
		add("quantized", "%s%s (%s)", q.Method, bits, q.Source)
	}
	if s := info.SAE; s != nil {
		add("SAE", "%s", saeText(s))
	}
	if info.BaseModel != nil {
		add("base model", "%s", *info.BaseModel)
	}
	if info.HasCustomFiles {
		add("custom code", "%s", strings.Join(info.CustomFiles, ", "))
	}
	if t := info.Tokenizer; t != nil {
		add("tokenizer", "%s", tokenizerText(t))
	}
	if w := info.Weights; w != nil {
		add("weights", "%s", weightsText(w))
	} else if info.IsSupported && info.Category != answer.Diffusers && !slices.ContainsFunc(info.Findings, func(f answer.Finding) bool { return f.Code == finding.WeightsMissing }) {
		add("weights", "in the files of %s, which are not read; parameters not known", info.Layout)
	}
	if info.ContextLength != nil {
		add("context", "%d tokens (%s)", *info.ContextLength, info.ContextLengthSource)
	}
	if m := info.Memory; m != nil {
		add("memory", "%s", memoryText(m))
	}
	if t := info.ChatTemplate; t != nil {
		add("chat template", "%s", chatTemplateText(t))
	}
	if c := info.Card; c != nil && c.License != "" {
		license := c.License
		if c.LicenseName != "" {
			license += ", " + c.LicenseName
		}
		add("licence", "%s (model card)", license)
	}
	if v := info.Verified; v != nil {
		add("verified", "%s", verifiedText(v))
	}
	add("size", "%s", byteText(info.Size))
	return facts
}

// memoryText says what loading takes: the weights as they are stored, and the
// cache for the context.
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

// verifiedText says how many files are what their record says, and which have
// none.
func verifiedText(v *answer.Verification) string {
	out := "nothing"
	if known := v.Files + len(v.Mismatched); known > 0 {
		out = fmt.Sprintf("%d of %s with a hash on record are what it says", v.Files, filesText(known))
	}
	if n := len(v.Unrecorded); n > 0 {
		const few = 3
		names := strings.Join(v.Unrecorded[:min(n, few)], ", ")
		if n > few {
			names += fmt.Sprintf(" and %d more", n-few)
		}
		out += "; no hash is on record of " + names
	}
	return out
}

func filesText(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

func chatTemplateText(t *answer.ChatTemplate) string {
	if len(t.Names) == 1 && t.Source != "" {
		return "yes (" + t.Source + ")"
	}
	return strings.Join(t.Names, ", ") + " (" + t.Source + ")"
}

func supportText(info *answer.Info) string {
	text := "yes"
	if info.LoadsAs != "" && info.LoadsAs != answer.UnknownName && info.LoadsAs != info.Architecture {
		text += ", as " + info.LoadsAs
	}
	if info.RemoteCode {
		text += ", only by running the code that it brings"
	}
	return text
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
	parts := []string{w.Format, filesText(len(w.Files)), byteText(w.Bytes)}
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
		parts = append(parts, fmt.Sprintf("%d more left aside", n))
	}
	if !w.Complete {
		incomplete := "incomplete"
		if n := len(w.Missing); n > 0 {
			incomplete = fmt.Sprintf("incomplete: %d missing", n)
		}
		parts = append(parts, incomplete)
	}
	return strings.Join(parts, ", ")
}

// byteText writes a size in powers of 1000, as download pages do.
func byteText(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return scaled(n, []string{"kB", "MB", "GB", "TB", "PB", "EB"}, " ")
}

// countText writes a number of parameters as people say it: 8.03B.
func countText(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return scaled(n, []string{"K", "M", "B", "T", "Q", "Qi"}, "")
}

// scaled writes a number from 1000 on with three significant digits.
func scaled(n int64, units []string, gap string) string {
	x, i := float64(n)/1000, 0
	for ; x >= 999.5 && i < len(units)-1; i++ {
		x /= 1000
	}
	digits := 2
	if x >= 99.95 {
		digits = 0
	} else if x >= 9.995 {
		digits = 1
	}
	return fmt.Sprintf("%.*f%s%s", digits, x, gap, units[i])
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
		p.labelled(fmt.Sprintf("  %-9s", f.Severity), message+" ["+f.Code+"]", severityColors[f.Severity])
		if f.Hint != "" {
			p.labelled("           hint: ", f.Hint)
		}
	}
}
