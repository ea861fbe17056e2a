package check

import (
	"slices"
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
	"omniloader/loader/tokenizer"

	"github.com/tidwall/gjson"
)

// Chat templates are looked through for blocks that are not closed, and for filters that
// Jinja does not have.
var _ = register(Check{
	Name:  "chat-template",
	Codes: []string{finding.ChatTemplateUnreadable},
	Run: func(f *Facts) (findings []answer.Finding) {
		if f.Info.ChatTemplate == nil || f.Weights != nil && len(f.Weights.GGUF) > 0 {
			return nil
		}
		templates, _ := tokenizer.ChatTemplates(f.Checkpoint.FS, f.Checkpoint.Dir, f.Checkpoint.Names)
		for _, t := range templates {
			if problem := templateProblem(t.Text); problem != "" {
				findings = append(findings, finding.New(finding.ChatTemplateUnreadable, t.Source, "the template "+finding.Quote(t.Name)+": "+problem, ""))
			}
		}
		return findings
	},
})

// templateBlocks gives the tag that closes each tag of Jinja that opens a block, those of
// transformers (generation) included. Source: jinja2/parser.py.
var templateBlocks = map[string]string{
	"for": "endfor", "if": "endif", "macro": "endmacro", "call": "endcall", "filter": "endfilter", "block": "endblock",
	"with": "endwith", "autoescape": "endautoescape", "generation": "endgeneration", "trans": "endtrans", "raw": "endraw",
}

// templateFilters are the filters of Jinja 3.1 (jinja2/filters.py), and tojson of
// transformers.
var templateFilters = strings.Fields(`abs attr batch capitalize center count d default dictsort e escape filesizeformat first
	float forceescape format groupby indent int items join last length list lower map max min pprint random reject rejectattr
	replace reverse round safe select selectattr slice sort string striptags sum title tojson trim truncate unique upper
	urlencode urlize wordcount wordwrap xmlattr strftime_now from_json fromjson`)

// templateProblem says what is wrong with a template; "" where nothing is.
func templateProblem(text string) string {
	var open []string
	for {
		at := strings.IndexByte(text, '{')
		if at < 0 || at+1 == len(text) {
			break
		}
		kind := text[at+1]
		text = text[at+2:]
		switch kind {
		case '#':
			_, rest, ok := strings.Cut(text, "#}")
			if !ok {
				return "a comment is not closed"
			}
			text = rest
		case '{', '%':
			end := templateEnd(text, kind)
			if end < 0 {
				return "a tag is not closed: " + finding.Quote("{"+string(kind)+firstWords(text))
			}
			inside := text[:end]
			text = text[end+2:]
			if name := unknownFilter(inside); name != "" {
				return "Jinja has no filter " + finding.Quote(name)
			}
			if kind == '{' {
				continue
			}
			inside = strings.TrimSpace(strings.Trim(strings.TrimSpace(inside), "+-"))
			tag, rest, _ := strings.Cut(inside, " ")
			switch closing, opens := templateBlocks[tag]; {
			case opens:
				open = append(open, closing)
			case tag == "set" && !strings.Contains(rest, "="):
				open = append(open, "endset")
			case strings.HasPrefix(tag, "end"):
				if len(open) == 0 || open[len(open)-1] != tag {
					return "the tag " + tag + " closes nothing that is open"
				}
				open = open[:len(open)-1]
			}
			if tag == "raw" {
				_, after, ok := strings.Cut(text, "endraw")
				if !ok {
					return "a block is not closed: endraw is missing"
				}
				_, text, _ = strings.Cut(after, "}")
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) > 0 {
		return "a block is not closed: " + open[len(open)-1] + " is missing"
	}
	return ""
}

// templateEnd is the index of the end of a tag, not in a text between quotation marks; -1
// where there is none.
func templateEnd(text string, kind byte) int {
	end := byte('}')
	if kind == '%' {
		end = '%'
	}
	var quote byte
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == end && i+1 < len(text) && text[i+1] == '}':
			return i
		}
	}
	return -1
}

// unknownFilter gives a filter in a tag that Jinja does not have, "" where there is none.
func unknownFilter(tag string) string {
	var quote byte
	for i := 0; i < len(tag); i++ {
		switch c := tag[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '|':
			rest := strings.TrimLeft(tag[i+1:], " \t\r\n")
			n := 0
			for n < len(rest) && (rest[n] == '_' || rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= 'A' && rest[n] <= 'Z' || n > 0 && rest[n] >= '0' && rest[n] <= '9') {
				n++
			}
			if n > 0 && !slices.Contains(templateFilters, rest[:n]) {
				return rest[:n]
			}
		}
	}
	return ""
}

func firstWords(text string) string { return text[:min(len(text), 30)] }

// sentencePieceClasses are classes that transformers 5 builds as SentencePiece does, with ▁
// for spaces, whatever pre-tokenizer tokenizer.json has (models/llama/tokenization_llama.py).
var sentencePieceClasses = []string{"LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "CodeLlamaTokenizerFast", "GemmaTokenizer", "GemmaTokenizerFast"}

// tokenizerHead is how many bytes of tokenizer.json are searched for the pre-tokenizer,
// which stands before the vocabulary.
const tokenizerHead = 256 << 10

// A tokenizer.json that transformers 5 does not use as it is, because the class is built
// anew.
var _ = register(Check{
	Name:  "tokenizer-class",
	Codes: []string{finding.TokenizerGuessed, finding.SpecialTokenMismatch},
	Needs: Tokenizer,
	Run: func(f *Facts) (findings []answer.Finding) {
		c := f.Checkpoint
		if !c.Has("tokenizer.json") || f.Tokenizer.Origin != answer.OriginCheckpoint {
			return nil
		}
		data, err := tree.ReadHead(c.FS, c.Dir, "tokenizer.json", tokenizerHead)
		if err != nil {
			return nil // reported with the tokenizer
		}
		head, _, _ := strings.Cut(string(data), "\"vocab\"")
		if class := f.Tokenizer.Class; slices.Contains(sentencePieceClasses, class) && strings.Contains(head, "\"ByteLevel\"") {
			findings = append(findings, finding.NewGraded(finding.Milder, finding.TokenizerGuessed, "tokenizer.json", "it is byte-level, and transformers 5 builds "+class+" of tokenizer_config.json anew, as SentencePiece has it: the ids differ from those of tokenizer.json",
				"set tokenizer_class to PreTrainedTokenizerFast"))
		}
		if size := f.Tokenizer.VocabSize; size != nil {
			added := gjson.Get(head, "added_tokens")
			for _, t := range added.Array() {
				if id := t.Get("id"); id.Type == gjson.Number && id.Int() >= int64(*size) {
					findings = append(findings, finding.New(finding.SpecialTokenMismatch, "tokenizer.json",
						"the added token "+finding.Quote(t.Get("content").Str)+" has the id "+id.Raw+", and libraries give it the next free one, below "+strconv.Itoa(*size), "give the added tokens the ids behind the vocabulary, without gaps"))
					break
				}
			}
		}
		return findings
	},
})

// Forms that only transformers 5 reads.
var _ = register(Check{
	Name:  "newer-library",
	Codes: []string{finding.NewerLibraryNeeded},
	Run: func(f *Facts) []answer.Finding {
		const file = "tokenizer_config.json"
		if !f.Checkpoint.Has(file) {
			return nil
		}
		c, err := config.ReadJSON(f.Checkpoint.FS, f.Checkpoint.Dir, file)
		switch {
		case err != nil:
		case c.Get("extra_special_tokens").IsArray():
			return single(finding.NewerLibraryNeeded, file, "extra_special_tokens is a list, which transformers 5 reads; version 4 expects an object", "")
		case c.Get("tokenizer_class").Str == "TokenizersBackend":
			return single(finding.NewerLibraryNeeded, file, "tokenizer_class is TokenizersBackend, which transformers has from version 5 on", "write PreTrainedTokenizerFast for version 4")
		}
		return nil
	},
})
