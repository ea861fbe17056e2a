package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/hub"
	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
)

// The environment variables that say where models are. Those that begin with HF_ are
// those of the Hugging Face libraries.
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

// tokenizeFlags are the flags of tokenize, as given.
type tokenizeFlags struct {
	given     func(flag string) bool // whether it is given, be it with an empty value
	asJSON    bool
	decode    string
	noSpecial bool
	pair      string
	roots     []string
	fallbacks []string
	hub       string
}

func (p *program) tokenizeCommand() *cobra.Command {
	f := &tokenizeFlags{}
	c := &cobra.Command{
		Use:   "tokenize DIR [TEXT]",
		Short: "Turn a text into tokens with a checkpoint's tokenizer, or ids into a text",
		Long: `Loads the tokenizer of the checkpoint in DIR and shows the tokens of TEXT: their ids,
their text, and their offsets in TEXT, in bytes. Without TEXT it reads all of standard
input, a last line break included.

A sparse autoencoder, an adapter or a GGUF file without a tokenizer uses that of its
base model: found beside DIR, below the directories of --model-root, in the Hugging
Face cache, or fetched from a hub where one is named; then that of --fallback. A
tokenizer that is broken is an error; no other is used instead of it.`,
		Example: `  omniloader tokenize ~/models/llama-3-8b "Hello, world!"
  omniloader tokenize . < README.md                       a file, from standard input
  omniloader tokenize . --json "Hello" | jq -c .ids       [9906]
  omniloader tokenize . --decode 9906,11,1917             Hello, world
  omniloader tokenize . --pair "It is." "Is it?"          two texts as one input`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errorWithHint("omniloader tokenize DIR [TEXT]", "tokenize takes the directory of a checkpoint, found none")
			case len(args) > 2:
				return errorWithHint("put quotes around a text of several words", "tokenize takes one text, found %d", len(args)-1)
			}
			return nil
		},
		RunE:              func(c *cobra.Command, args []string) error { return p.tokenize(c, f, args) },
		ValidArgsFunction: completeDirectories,
		Annotations: map[string]string{
			meaningOf0: "the text was turned into tokens, or the ids into a text",
			meaningOf2: "no tokenizer was found, it cannot be read, or a wrong flag",
			"environment": `  OMNILOADER_MODELS      directories of models, as in PATH; --model-root comes first
  HF_HUB_CACHE, HF_HOME  where the Hugging Face cache is
  HF_ENDPOINT            the hub, where --hub does not name one
  HF_TOKEN               sent to the hub, and to no other host
  HF_HUB_OFFLINE         1: nothing is fetched from a hub`,
		},
	}
	set := c.Flags()
	f.given = set.Changed
	set.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	set.StringVar(&f.decode, "decode", "", "turn `IDS`, separated by commas or spaces, into their text")
	set.BoolVar(&f.noSpecial, "no-special", false, "without the special tokens that the tokenizer adds, or finds in --decode")
	set.StringVar(&f.pair, "pair", "", "a second `TEXT`, encoded as a pair with the first")
	set.StringArrayVar(&f.roots, "model-root", nil, "look for base models below `DIR` too; may be repeated")
	set.StringArrayVar(&f.fallbacks, "fallback", nil, "use the tokenizer in `DIR` where there is no other; may be repeated")
	set.StringVar(&f.hub, "hub", "", "fetch a base model's tokenizer from the hub at `URL`, into the cache")
	return c
}

// tokenizeResult is what tokenize --json prints. After decoding it has only ids and
// text.
type tokenizeResult struct {
	Text      string                `json:"text"`
	Pair      *string               `json:"pair,omitempty"`
	IDs       []uint32              `json:"ids"`
	Tokens    []string              `json:"tokens,omitzero"`
	Offsets   [][2]int              `json:"offsets,omitzero"` // bytes of the text, or of the pair's second; 0, 0 for a token that was added
	TypeIDs   []uint32              `json:"type_ids,omitzero"`
	Special   []bool                `json:"special,omitzero"` // added by the tokenizer
	Tokenizer *answer.TokenizerInfo `json:"tokenizer"`
	Seconds   tokenizeSeconds       `json:"seconds"`
}

// tokenizeSeconds is how long each part took.
type tokenizeSeconds struct {
	Resolution float64 `json:"resolution"` // finding the tokenizer
	Download   float64 `json:"download"`
	Parse      float64 `json:"parse"`
	Run        float64 `json:"run"` // encoding or decoding
}

// tokenize loads the tokenizer of args[0] and encodes a text or decodes ids with it.
func (p *program) tokenize(c *cobra.Command, f *tokenizeFlags, args []string) error {
	ids, err := f.ids(args)
	if err != nil {
		return err
	}
	input := ""
	if ids == nil {
		if input, err = inputText(c, args); err != nil {
			return err
		}
	}
	var info *answer.TokenizerInfo
	t, err := runInterruptible(c.Context(), func() (t *tokenizer.Tokenizer, err error) {
		t, info, err = p.tokenizerOnDisk(c.Context(), f, args[0])
		return t, err
	})
	if err != nil {
		return err
	}
	result := &tokenizeResult{Tokenizer: info, Seconds: tokenizeSeconds{
		Resolution: info.Times.Resolution.Seconds(), Download: info.Times.Download.Seconds(), Parse: info.Times.Parse.Seconds(),
	}}
	show := p.showTokens
	start := time.Now()
	if ids != nil {
		p.noteUnknown(t, ids)
		show = p.showText
		err = result.decode(t, ids, f.noSpecial)
	} else {
		err = result.encode(t, input, f)
	}
	result.Seconds.Run = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(p, result)
	}
	show(result)
	return nil
}

// ids gives the ids of --decode, nil where it is not given.
func (f *tokenizeFlags) ids(args []string) ([]uint32, error) {
	if !f.given("decode") {
		return nil, nil
	}
	ids, err := parseIDs(f.decode)
	switch {
	case err != nil:
		return nil, errorWithHint("write numbers with commas between them: --decode 9906,11,1917", "--decode: %w", err)
	case len(args) == 2:
		return nil, errorWithHint("leave out one of them", "a text to encode and ids to decode, both at once")
	case f.given("pair"):
		return nil, errorWithHint("leave out one of them", "--pair has no meaning with --decode")
	}
	return ids, nil
}

func (r *tokenizeResult) decode(t *tokenizer.Tokenizer, ids []uint32, noSpecial bool) (err error) {
	r.IDs = ids
	r.Text, err = t.DecodeText(ids, noSpecial)
	return err
}

func (r *tokenizeResult) encode(t *tokenizer.Tokenizer, input string, f *tokenizeFlags) (err error) {
	var e *tokenizer.Encoding
	r.Text = input
	options := tokenizer.EncodeOptions{NoSpecial: f.noSpecial}
	if f.given("pair") {
		r.Pair = &f.pair
		e, err = t.EncodePair(input, f.pair, options)
	} else {
		e, err = t.Encode(input, options)
	}
	if err != nil {
		return err
	}
	// Without tokens they are [] in JSON, and not null.
	r.IDs, r.Tokens, r.TypeIDs, r.Special = append([]uint32{}, e.IDs...), append([]string{}, e.Tokens...), append([]uint32{}, e.TypeIDs...), append([]bool{}, e.Special...)
	r.Offsets = [][2]int{}
	for _, o := range e.Offsets {
		r.Offsets = append(r.Offsets, [2]int{o.Start, o.End})
	}
	return nil
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
func inputText(c *cobra.Command, args []string) (string, error) {
	if len(args) == 2 {
		return args[1], nil
	}
	data, err := runInterruptible(c.Context(), func() ([]byte, error) { return io.ReadAll(io.LimitReader(c.InOrStdin(), maxStdin+1)) })
	switch {
	case err != nil:
		return "", fmt.Errorf("standard input: %w", err)
	case len(data) > maxStdin:
		return "", errorWithHint("cut it into parts", "standard input has more than %d bytes", maxStdin)
	}
	return string(data), nil
}

// tokenizerOnDisk loads the tokenizer of a directory, or of a tokenizer.json, on the
// real disk.
func (p *program) tokenizerOnDisk(ctx context.Context, f *tokenizeFlags, path string) (*tokenizer.Tokenizer, *answer.TokenizerInfo, error) {
	if filepath.Base(path) == "tokenizer.json" {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			path = filepath.Dir(path)
		}
	}
	if err := checkpointDirectory(path, "name the directory that has the checkpoint's files"); err != nil {
		return nil, nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, err
	}
	disk := diskOf(absolute)
	dir, err := disk.nameInFS(absolute)
	if err != nil {
		return nil, nil, err
	}
	options, err := p.searchOptions(f, disk)
	if err != nil {
		return nil, nil, err
	}
	t, info, err := loader.New(options...).LoadTokenizerContext(ctx, os.DirFS(disk.root), dir)
	if err != nil {
		var search *answer.SearchError
		var fileErr *fault.Error
		switch {
		case errors.As(err, &search):
			return nil, nil, search.MapPaths(disk.path)
		case errors.As(err, &fileErr) && fileErr.Path == dir:
			fileErr.Path = disk.path(dir)
		case fileErr != nil:
			fileErr.Path = filepath.Join(path, filepath.FromSlash(fileErr.Path))
		}
		return nil, nil, err
	}
	info.MapPaths(disk.path)
	return t, info, nil
}

// searchOptions say where the tokenizer of a base model is looked for.
func (p *program) searchOptions(f *tokenizeFlags, d disk) ([]loader.Option, error) {
	if err := refuseMistypedVariables(os.Environ(), []string{envModels}); err != nil {
		return nil, err
	}
	roots, err := d.namesInFS(slices.Concat(f.roots, filepath.SplitList(os.Getenv(envModels)), []string{hubCache()}))
	if err != nil {
		return nil, err
	}
	fallbacks, err := d.namesInFS(f.fallbacks)
	if err != nil {
		return nil, err
	}
	options := []loader.Option{loader.WithModelRoots(roots...), loader.WithTokenizerFallbacks(fallbacks...)}
	if fetch := p.fetchFromHub(f, d); fetch != nil {
		options = append(options, loader.WithFetch(fetch))
	}
	return options, nil
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

// fetchFromHub gives a function that fetches the files of a tokenizer from a hub, nil
// where no hub is named, or the environment forbids it.
func (p *program) fetchFromHub(f *tokenizeFlags, d disk) loader.Fetch {
	endpoint := f.hub
	if endpoint == "" {
		endpoint = os.Getenv(envEndpoint)
	}
	if endpoint == "" {
		return nil
	}
	if isOn(os.Getenv(envOffline)) {
		if f.hub != "" {
			p.note("%s is set: nothing is fetched from the hub", envOffline)
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
		dir, err := d.nameInFS(snapshot.Dir)
		return os.DirFS(d.root), dir, err
	}
}

// isOn reads a boolean environment variable as the Hugging Face libraries do.
func isOn(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
