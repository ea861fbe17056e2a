package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"omniloader/internal/hub"
	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
)

// The environment variables about where models lie. Those that begin with HF_ are
// the Hugging Face libraries' own.
const (
	envModels   = "OMNILOADER_MODELS"
	envHome     = "HF_HOME"
	envHubCache = "HF_HUB_CACHE"
	envEndpoint = "HF_ENDPOINT"
	envToken    = "HF_TOKEN"
	envOffline  = "HF_HUB_OFFLINE"
)

// maxStdin bounds a text from standard input, in bytes.
const maxStdin = 256 << 20

// tokenizeSettings are the flags of tokenize.
type tokenizeSettings struct {
	asJSON    bool
	decode    string
	noSpecial bool
	pair      string
	roots     []string
	fallbacks []string
	hub       string
}

func (p *program) tokenizeCommand() *cobra.Command {
	s := &tokenizeSettings{}
	c := &cobra.Command{
		Use:   "tokenize DIR [TEXT]",
		Short: "Turn a text into tokens with a checkpoint's tokenizer, or ids into a text",
		Long: `Loads the tokenizer of the checkpoint in DIR and shows what it makes of TEXT: ids,
tokens, and where each stands in the text, counted in bytes. Without TEXT it reads
the text from standard input, all of it, a last line break included.

A sparse autoencoder, an adapter or a GGUF file without a tokenizer takes that of its
base model: found beside DIR, below the directories of --model-root, in the Hugging
Face cache, or fetched from a hub where one is named; then that of --fallback. A
tokenizer that is there and broken is an error; no other is taken in its place.`,
		Example: `  omniloader tokenize ~/models/llama-3-8b "Hello, world!"
  omniloader tokenize . < README.md                       a file, from standard input
  omniloader tokenize . --json "Hello" | jq -c .ids       [9906]
  omniloader tokenize . --decode 9906,11,1917             Hello, world
  omniloader tokenize . --pair "It is." "Is it?"          two texts as one input`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return unable("omniloader tokenize DIR [TEXT]", "tokenize takes the directory of a checkpoint, found none")
			case len(args) > 2:
				return unable("put quotes around a text of several words", "tokenize takes one text, found %d", len(args)-1)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.tokenize(c, s, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		Annotations: map[string]string{
			"held":   "the text was turned into tokens, or the ids into a text",
			"unable": "no tokenizer was found, it cannot be read, or a wrong flag",
			"environment": `  OMNILOADER_MODELS      directories of models, as in PATH; --model-root comes first
  HF_HUB_CACHE, HF_HOME  where the Hugging Face cache is
  HF_ENDPOINT            the hub, where --hub does not name one
  HF_TOKEN               sent to the hub, and to no other host
  HF_HUB_OFFLINE         1: no hub is asked`,
		},
	}
	f := c.Flags()
	f.BoolVar(&s.asJSON, "json", false, "print one JSON object")
	f.StringVar(&s.decode, "decode", "", "turn `IDS`, separated by commas or spaces, into their text")
	f.BoolVar(&s.noSpecial, "no-special", false, "without the special tokens that the tokenizer puts in, or meets in --decode")
	f.StringVar(&s.pair, "pair", "", "a second `TEXT`, to be one input with the first")
	f.StringArrayVar(&s.roots, "model-root", nil, "look for base models below `DIR` too; may be repeated")
	f.StringArrayVar(&s.fallbacks, "fallback", nil, "take the tokenizer in `DIR` where there is no other; may be repeated")
	f.StringVar(&s.hub, "hub", "", "fetch a base model's tokenizer from the hub at `URL`, into the cache")
	return c
}

// tokenized is what tokenize --json prints. Of a decoding it has only ids and text.
type tokenized struct {
	Text      string                `json:"text"`
	Pair      *string               `json:"pair,omitempty"`
	IDs       []uint32              `json:"ids"`
	Tokens    []string              `json:"tokens,omitzero"`
	Offsets   [][2]int              `json:"offsets,omitzero"` // bytes of the text, or of the pair's second; 0, 0 for a token that was put in
	TypeIDs   []uint32              `json:"type_ids,omitzero"`
	Special   []bool                `json:"special,omitzero"` // put in by the tokenizer
	Tokenizer *answer.TokenizerInfo `json:"tokenizer"`
	Seconds   seconds               `json:"seconds"`
}

// seconds say where the time went.
type seconds struct {
	Resolution float64 `json:"resolution"` // finding the tokenizer
	Download   float64 `json:"download"`
	Parse      float64 `json:"parse"`
	Run        float64 `json:"run"` // encoding or decoding
}

func (p *program) tokenize(c *cobra.Command, s *tokenizeSettings, args []string) error {
	decoding := c.Flags().Changed("decode")
	ids, err := parseIDs(s.decode)
	switch {
	case decoding && err != nil:
		return unable("write numbers with commas between them: --decode 9906,11,1917", "--decode: %w", err)
	case decoding && len(args) == 2:
		return unable("leave out one of them", "a text to encode and ids to decode, both at once")
	case decoding && c.Flags().Changed("pair"):
		return unable("leave out one of them", "--pair has no meaning with --decode")
	}
	input := ""
	if !decoding {
		if input, err = p.inputText(c, args); err != nil {
			return err
		}
	}
	var info *answer.TokenizerInfo
	t, err := awaited(c.Context(), func() (t *tokenizer.Tokenizer, err error) {
		t, info, err = p.tokenizerOnDisk(c.Context(), s, args[0])
		return t, err
	})
	if err != nil {
		return err
	}
	out := tokenized{Text: input, IDs: ids, Tokenizer: info}
	out.Seconds = seconds{Resolution: info.Times.Resolution.Seconds(), Download: info.Times.Download.Seconds(), Parse: info.Times.Parse.Seconds()}
	start := time.Now()
	if decoding {
		p.noteUnknown(t, ids)
		out.Text, err = t.DecodeText(ids, s.noSpecial)
		out.Seconds.Run = time.Since(start).Seconds()
		if err != nil {
			return err
		}
		if s.asJSON {
			return p.encodeJSON(out)
		}
		fmt.Fprintln(p.out, p.safe(out.Text))
		return nil
	}
	var e *tokenizer.Encoding
	options := tokenizer.EncodeOptions{NoSpecial: s.noSpecial}
	if c.Flags().Changed("pair") {
		out.Pair = &s.pair
		e, err = t.EncodePair(input, s.pair, options)
	} else {
		e, err = t.Encode(input, options)
	}
	out.Seconds.Run = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	out.take(e)
	if s.asJSON {
		return p.encodeJSON(out)
	}
	p.showTokens(&out)
	return nil
}

func (t *tokenized) take(e *tokenizer.Encoding) {
	// Without tokens they are [], and not null.
	t.IDs, t.Tokens, t.TypeIDs, t.Special = append([]uint32{}, e.IDs...), append([]string{}, e.Tokens...), append([]uint32{}, e.TypeIDs...), append([]bool{}, e.Special...)
	t.Offsets = [][2]int{}
	for _, o := range e.Offsets {
		t.Offsets = append(t.Offsets, [2]int{o.Start, o.End})
	}
}

// parts says of which text each token is a part, 1 or 2. Type ids tell it for some
// models only; else the second text begins behind a token that was put between, or
// where the places begin again.
func (t *tokenized) parts() []int {
	parts := make([]int, len(t.IDs))
	part, last, seen, between := 1, 0, false, false
	for i := range parts {
		if t.Pair != nil && t.Special[i] {
			between = seen
		} else if start := t.Offsets[i][0]; t.Pair != nil {
			if t.TypeIDs[i] != 0 || between || start < last {
				part = 2
			}
			seen, last = true, start
		}
		parts[i] = part
	}
	return parts
}

func parseIDs(list string) (ids []uint32, err error) {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \t\n[]", r) }) {
		id, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no id", word)
		}
		ids = append(ids, uint32(id))
	}
	if len(ids) == 0 {
		return nil, errors.New("no ids")
	}
	return ids, nil
}

// inputText is the text of the arguments, or all of standard input.
func (p *program) inputText(c *cobra.Command, args []string) (string, error) {
	if len(args) == 2 {
		return args[1], nil
	}
	data, err := awaited(c.Context(), func() ([]byte, error) { return io.ReadAll(io.LimitReader(c.InOrStdin(), maxStdin+1)) })
	switch {
	case err != nil:
		return "", fmt.Errorf("standard input: %w", err)
	case len(data) > maxStdin:
		return "", unable("cut it into parts", "standard input has more than %d bytes", maxStdin)
	}
	return string(data), nil
}

func (p *program) encodeJSON(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return standardOutput(e.Encode(v))
}

// tokenizerOnDisk loads the tokenizer of a directory of the real filesystem. The
// loader is given the whole of it, as a base model may lie anywhere.
func (p *program) tokenizerOnDisk(ctx context.Context, s *tokenizeSettings, dir string) (*tokenizer.Tokenizer, *answer.TokenizerInfo, error) {
	if filepath.Base(dir) == "tokenizer.json" {
		if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
			dir = filepath.Dir(dir)
		}
	}
	if err := isDirectory(dir); err != nil {
		advice := "name the directory that has the checkpoint's files"
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			advice = "name its directory: " + filepath.Dir(dir)
		}
		return nil, nil, unable(advice, "%w", err)
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	disk := wholeDisk(absolute)
	inside, err := disk.inside(absolute)
	if err != nil {
		return nil, nil, err
	}
	roots, err := disk.all(append(append(s.roots, filepath.SplitList(os.Getenv(envModels))...), hubCache()))
	if err != nil {
		return nil, nil, err
	}
	fallbacks, err := disk.all(s.fallbacks)
	if err != nil {
		return nil, nil, err
	}
	options := []loader.Option{loader.WithModelRoots(roots...), loader.WithTokenizerFallbacks(fallbacks...)}
	if fetch := p.fetchFromHub(s, disk); fetch != nil {
		options = append(options, loader.WithFetch(fetch))
	}
	t, info, err := loader.New(options...).LoadTokenizerContext(ctx, os.DirFS(disk.root), inside)
	if err != nil {
		var search *answer.SearchError
		var place *fault.Error
		if errors.As(err, &search) {
			return nil, nil, search.Placed(disk.outside)
		} else if errors.As(err, &place) && place.Path == inside {
			place.Path = disk.outside(inside)
		} else if errors.As(err, &place) {
			place.Path = filepath.Join(dir, filepath.FromSlash(place.Path))
		}
		return nil, nil, err
	}
	info.Placed(disk.outside)
	return t, info, nil
}

// disk is a real filesystem as an fs.FS sees it: all of it, or of one volume.
type disk struct{ root string }

func wholeDisk(absolute string) disk {
	return disk{filepath.VolumeName(absolute) + string(filepath.Separator)}
}

func (d disk) inside(name string) (string, error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(d.root, absolute)
	return filepath.ToSlash(rel), err
}

func (d disk) outside(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// all gives the directories that are there. One that is not, or lies on another
// volume, has no models.
func (d disk) all(names []string) (inside []string, err error) {
	for _, name := range names {
		if name == "" {
			continue
		}
		at, err := d.inside(name)
		if err != nil {
			return nil, err
		}
		inside = append(inside, at)
	}
	return inside, nil
}

// hubCache is where the Hugging Face libraries keep their downloads. Source:
// huggingface_hub, constants.py.
func hubCache() string {
	if dir := os.Getenv(envHubCache); dir != "" {
		return dir
	}
	if home := os.Getenv(envHome); home != "" {
		return filepath.Join(home, "hub")
	}
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "huggingface", "hub")
}

// fetchFromHub asks a hub for the files of a tokenizer, nil where none is named or
// none may be asked.
func (p *program) fetchFromHub(s *tokenizeSettings, d disk) loader.Fetch {
	endpoint := s.hub
	if endpoint == "" {
		endpoint = os.Getenv(envEndpoint)
	}
	if endpoint == "" {
		return nil
	}
	if isOn(os.Getenv(envOffline)) {
		if s.hub != "" {
			p.note("%s is set: the hub is not asked", envOffline)
		}
		return nil
	}
	client := &hub.Client{Endpoint: endpoint, Token: os.Getenv(envToken), Cache: hubCache()}
	return func(ctx context.Context, model, revision string) (fs.FS, string, error) {
		snapshot, err := client.Fetch(ctx, model, revision, tokenizer.FilesOf)
		if err != nil {
			if hint := fault.HintOf(err); hint != "" {
				err = fmt.Errorf("%w; %s", err, hint)
			}
			return nil, "", err
		}
		dir, err := d.inside(snapshot.Dir)
		return os.DirFS(d.root), dir, err
	}
}

// isOn reads a switch as the Hugging Face libraries do.
func isOn(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// tokenColors alternate, so that neighbours can be told apart.
var tokenColors = []text.Colors{{text.BgCyan, text.FgBlack}, {text.BgYellow, text.FgBlack}, {text.BgGreen, text.FgBlack}, {text.BgMagenta, text.FgBlack}}

// noteUnknown says which ids no token has: decoding leaves them out.
func (p *program) noteUnknown(t *tokenizer.Tokenizer, ids []uint32) {
	var unknown []string
	for _, id := range ids {
		if _, ok := t.Token(id); !ok && len(unknown) < 10 {
			unknown = append(unknown, strconv.FormatUint(uint64(id), 10))
		}
	}
	if len(unknown) > 0 {
		p.note("no token has the id %s: left out", strings.Join(unknown, ", "))
	}
}

// showTokens writes what a text became, one token a line, and on a terminal the
// text itself in colours before that.
func (p *program) showTokens(t *tokenized) {
	p.labelled("", tokenizerText(t.Tokenizer))
	if p.out.options().Color && len(t.Text) <= 4096 {
		p.colorText(t)
	}
	fmt.Fprintln(p.out)
	widths := [3]int{len("id"), len("token"), len("bytes")}
	rows := make([][3]string, len(t.IDs))
	parts := t.parts()
	for i, id := range t.IDs {
		place := ""
		if !t.Special[i] {
			place = fmt.Sprintf("%d-%d", t.Offsets[i][0], t.Offsets[i][1])
			if t.Pair != nil {
				place += fmt.Sprintf(" of text %d", parts[i])
			}
		}
		rows[i] = [3]string{strconv.FormatUint(uint64(id), 10), visible(t.Tokens[i]), place}
		for k, cell := range rows[i] {
			widths[k] = max(widths[k], text.StringWidth(cell))
		}
	}
	line := func(cells [3]string, colors text.Colors) {
		pad := strings.Repeat(" ", max(0, widths[1]-text.StringWidth(cells[1])))
		fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf("%*s  %s%s  %s", widths[0], cells[0], p.color(cells[1], colors...), pad, cells[2]), " "))
	}
	line([3]string{"id", "token", "bytes"}, nil)
	for i, row := range rows {
		colors := tokenColors[i%len(tokenColors)]
		if t.Special[i] {
			colors = text.Colors{text.Faint}
		}
		line(row, colors)
	}
	size := len(t.Text)
	if t.Pair != nil {
		size += len(*t.Pair)
	}
	fmt.Fprintf(p.out, "\n%d tokens of %d bytes\n", len(t.IDs), size)
	s := t.Seconds
	fmt.Fprintf(p.out, "resolution %s, download %s, parse %s, encoding %s\n", timeText(s.Resolution), timeText(s.Download), timeText(s.Parse), timeText(s.Run))
}

// colorText writes the text with each token on a ground of its own colour.
func (p *program) colorText(t *tokenized) {
	at, parts := 0, t.parts()
	fmt.Fprintln(p.out)
	for i, o := range t.Offsets {
		if t.Special[i] || parts[i] != 1 || o[0] < at || o[1] > len(t.Text) || o[0] == o[1] {
			continue // put in, of the second text, or a part of a character that is shown
		}
		fmt.Fprint(p.out, p.safe(t.Text[at:o[0]]), p.color(p.safe(t.Text[o[0]:o[1]]), tokenColors[i%len(tokenColors)]...))
		at = o[1]
	}
	fmt.Fprintln(p.out, p.safe(t.Text[at:]))
}

// safe shows a text on a terminal, where control characters could do harm. Elsewhere
// it stays as it is.
func (p *program) safe(s string) string {
	if !p.out.terminal {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "\n\t") // these two stay what they are
		if i < 0 {
			return b.String() + printable(s)
		}
		b.WriteString(printable(s[:i]) + s[i:i+1])
		s = s[i+1:]
	}
}

// visible shows a token with its white space: a space as \u2423, all else as escapes.
func visible(token string) string {
	var b strings.Builder
	for _, r := range token {
		switch {
		case r == ' ':
			b.WriteRune('\u2423')
		case unicode.IsSpace(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return printable(b.String())
}

func timeText(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Microsecond).String()
}
