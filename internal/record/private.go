package record

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// redactor covers what a file of a checkpoint tells of the machine and the people
// it comes from: names of users in paths, the paths of this machine, the local
// parts of e-mail addresses, and secrets, by their shape or by the key they stand
// under. Every byte is covered by one byte, so that sizes and offsets stay true,
// and JSON stays JSON.
type redactor struct {
	paths    [][]byte // of this machine
	patterns []redactionPattern
}

// cover puts this in the place of each byte but those that end lines.
const redactedByte = 'x'

// redactionPattern says what is covered, its one group, and in which files.
type redactionPattern struct {
	*regexp.Regexp
	in func(file string) bool // nil: in every file
}

// secretKeys are the names, or their endings, under which secrets stand.
// "token" and "key" alone are none: bos_token and sort_key are no secrets.
const secretKeys = `(?:(?:access|api|auth|bearer|hf|hub|id|refresh|security|session|wandb)[-_]?tokens?|` +
	`(?:access|account|api|auth|encryption|license|private|secret|signing|storage|subscription)[-_]?keys?(?:[-_]id)?|` +
	`apikey|client[-_]?secret|secret|passw(?:or)?d|passphrase|credentials?)`

// redactionPatterns are the shapes of what is private. Sources of the tokens'
// shapes: the providers' own documentation of their prefixes.
var redactionPatterns = []redactionPattern{
	{regexp.MustCompile(`/(?:home|Users)/([^/"'\\\s\x00:<>|,;)]{1,64})`), nil},
	{regexp.MustCompile(`[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/)([^/"'\\\x00:<>|]{1,64})`), nil},
	{regexp.MustCompile(`\b(?:hf_|api_org_)([A-Za-z0-9]{20,})`), nil},                // Hugging Face
	{regexp.MustCompile(`\bsk-([A-Za-z0-9_-]*[A-Za-z0-9]{16,}[A-Za-z0-9_-]*)`), nil}, // OpenAI, Anthropic
	{regexp.MustCompile(`\bgh[oprsu]_([A-Za-z0-9]{20,})`), nil},                      // GitHub
	{regexp.MustCompile(`\bgithub_pat_([A-Za-z0-9_]{20,})`), nil},
	{regexp.MustCompile(`\bglpat-([A-Za-z0-9_-]{16,})`), nil},                                // GitLab
	{regexp.MustCompile(`\b(?:AKIA|ASIA)([A-Z0-9]{16})\b`), nil},                             // Amazon
	{regexp.MustCompile(`\bAIza([A-Za-z0-9_-]{35})`), nil},                                   // Google
	{regexp.MustCompile(`\bxox[abeoprs]-([A-Za-z0-9-]{10,})`), nil},                          // Slack
	{regexp.MustCompile(`\bnvapi-([A-Za-z0-9_-]{20,})`), nil},                                // NVIDIA
	{regexp.MustCompile(`\beyJ([A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)`), nil}, // a JSON web token
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]+)`), nil},
	{regexp.MustCompile(`://([^/\s:@"'\\<>]{1,64}:[^/\s@"'\\<>]{1,256})@`), nil}, // user and password in an address
	{regexp.MustCompile(`(?i)\b[\w.-]*` + secretKeys + `["']?\s*[:=]\s*"((?:[^"\\\n]|\\.)+)"`), isNotVocabulary},
	{regexp.MustCompile(`(?i)\b[\w.-]*` + secretKeys + `["']?\s*[:=]\s*'((?:[^'\\\n]|\\.)+)'`), isNotVocabulary},
	{regexp.MustCompile(`(?i)\b[\w.-]*` + secretKeys + `[ \t]*[:=][ \t]*([^\s"'\x60#{}\[\]()<>]+)`), allowsUnquotedValues},
	{regexp.MustCompile(`\b([A-Za-z0-9._%+-]{1,64})@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b`), isNotVocabulary},
}

// isNotVocabulary tells the files whose words are no vocabulary: in one, a token
// that looks like an address is a token.
func isNotVocabulary(file string) bool {
	base := path.Base(file)
	switch path.Ext(base) {
	case ".model", ".tiktoken", ".vocab", ".bpe":
		return false
	}
	for _, word := range [...]string{"tokenizer.json", "vocab", "merges", "added_tokens"} {
		if strings.HasPrefix(base, word) {
			return false
		}
	}
	return true
}

// allowsUnquotedValues tells the files in which a value may stand without quotes.
func allowsUnquotedValues(file string) bool {
	switch path.Ext(file) {
	case ".cfg", ".ini", ".md", ".toml", ".yaml", ".yml":
		return true
	case ".txt":
		return isNotVocabulary(file)
	}
	return false
}

func newRedactor(s *source) *redactor {
	p := &redactor{patterns: redactionPatterns}
	add := func(dir string) {
		dir = filepath.ToSlash(dir)
		if strings.Count(strings.Trim(dir, "/"), "/") > 0 { // "/tmp" and "/models" tell nothing
			p.paths = append(p.paths, []byte(dir))
		}
	}
	add(filepath.Dir(s.path))
	if full, err := filepath.Abs(s.requestedDir); err == nil {
		add(filepath.Dir(full))
	}
	if dir, err := os.UserHomeDir(); err == nil {
		add(dir)
		if user := filepath.Base(dir); len(user) > 3 && strings.Count(filepath.ToSlash(dir), "/") > 1 { // the same user on another disk
			p.patterns = append(slices.Clip(p.patterns), redactionPattern{regexp.MustCompile(`[/\\](` + regexp.QuoteMeta(user) + `)\b`), nil})
		}
	}
	return p
}

// redact gives the content of a file with what is private covered, and how often
// that was so. The content itself is not changed.
func (p *redactor) redact(file string, content []byte) (covered []byte, times int) {
	covered = content
	own := func() {
		if times++; times == 1 {
			covered = bytes.Clone(content)
		}
	}
	for _, dir := range p.paths {
		for at := 0; ; {
			i := bytes.Index(covered[at:], dir)
			if i < 0 {
				break
			}
			own()
			for j := at + i; j < at+i+len(dir); j++ {
				if covered[j] != '/' {
					covered[j] = redactedByte
				}
			}
			at += i + len(dir)
		}
	}
	for _, pattern := range p.patterns {
		if pattern.in != nil && !pattern.in(file) {
			continue
		}
		for _, m := range pattern.FindAllSubmatchIndex(covered, -1) {
			if len(bytes.Trim(covered[m[2]:m[3]], string(redactedByte)+"\r\n")) == 0 {
				continue
			}
			own()
			for j := m[2]; j < m[3]; j++ {
				if covered[j] != '\n' && covered[j] != '\r' {
					covered[j] = redactedByte
				}
			}
		}
	}
	return covered, times
}
