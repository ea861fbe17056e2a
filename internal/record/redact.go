package record

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// redactor replaces private content of files: user names in paths, paths of this
// machine, the local part of e-mail addresses, and secrets, which are recognised by
// their form or by the key before them. Each byte is replaced by one byte, so that
// sizes, offsets and the syntax of JSON stay valid.
type redactor struct {
	paths    [][]byte // of this machine
	patterns []redactionPattern
}

// redactedByte replaces each private byte, except line breaks.
const redactedByte = 'x'

// redactionPattern is a regular expression whose only group is replaced.
type redactionPattern struct {
	*regexp.Regexp
	in func(file string) bool // the files it is for; nil for all
	// literals are texts of which every match has one, so that most files are not
	// searched with the expression, which takes far longer; nil for none.
	literals []string
}

// secretKeys matches names, or the ends of names, of keys whose values are secrets.
// "token" and "key" alone do not match, because bos_token and sort_key are no secrets.
const secretKeys = `(?:(?:access|api|auth|bearer|hf|hub|id|refresh|security|session|wandb)[-_]?tokens?|` +
	`(?:access|account|api|auth|encryption|license|private|secret|signing|storage|subscription)[-_]?keys?(?:[-_]id)?|` +
	`apikey|client[-_]?secret|secret|passw(?:or)?d|passphrase|credentials?)`

// redactionPatterns match private content. The forms of access tokens are from the
// documentation of their providers.
var redactionPatterns = sync.OnceValue(func() []redactionPattern {
	return []redactionPattern{
		{regexp.MustCompile(`/(?:home|Users)/([^/"'\\\s\x00:<>|,;)]{1,64})`), nil, []string{"/home/", "/Users/"}},
		{regexp.MustCompile(`[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/)([^/"'\\\x00:<>|]{1,64})`), nil, []string{"Users"}},
		{regexp.MustCompile(`\b(?:hf_|api_org_)([A-Za-z0-9]{20,})`), nil, []string{"hf_", "api_org_"}},    // Hugging Face
		{regexp.MustCompile(`\bsk-([A-Za-z0-9_-]*[A-Za-z0-9]{16,}[A-Za-z0-9_-]*)`), nil, []string{"sk-"}}, // OpenAI, Anthropic
		{regexp.MustCompile(`\bgh[oprsu]_([A-Za-z0-9]{20,})`), nil, []string{"gh"}},                       // GitHub
		{regexp.MustCompile(`\bgithub_pat_([A-Za-z0-9_]{20,})`), nil, []string{"github_pat_"}},
		{regexp.MustCompile(`\bglpat-([A-Za-z0-9_-]{16,})`), nil, []string{"glpat-"}},                             // GitLab
		{regexp.MustCompile(`\b(?:AKIA|ASIA)([A-Z0-9]{16})\b`), nil, []string{"AKIA", "ASIA"}},                    // Amazon
		{regexp.MustCompile(`\bAIza([A-Za-z0-9_-]{35})`), nil, []string{"AIza"}},                                  // Google
		{regexp.MustCompile(`\bxox[abeoprs]-([A-Za-z0-9-]{10,})`), nil, []string{"xox"}},                          // Slack
		{regexp.MustCompile(`\bnvapi-([A-Za-z0-9_-]{20,})`), nil, []string{"nvapi-"}},                             // NVIDIA
		{regexp.MustCompile(`\beyJ([A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)`), nil, []string{"eyJ"}}, // a JSON web token
		{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]+)`), nil, []string{"PRIVATE KEY"}},
		{regexp.MustCompile(`://([^/\s:@"'\\<>]{1,64}:[^/\s@"'\\<>]{1,256})@`), nil, []string{"://"}}, // user and password in an address
		{regexp.MustCompile(`(?i)\b[\w.-]*` + secretKeys + `["']?\s*[:=]\s*"((?:[^"\\\n]|\\.)+)"`), isNotVocabulary, nil},
		{regexp.MustCompile(`(?i)\b[\w.-]*` + secretKeys + `["']?\s*[:=]\s*'((?:[^'\\\n]|\\.)+)'`), isNotVocabulary, nil},
		{regexp.MustCompile(`(?i)\b[\w.-]*` + secretKeys + `[ \t]*[:=][ \t]*([^\s"'\x60#{}\[\]()<>]+)`), allowsUnquotedValues, nil},
		{regexp.MustCompile(`\b([A-Za-z0-9._%+-]{1,64})@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b`), isNotVocabulary, []string{"@"}},
	}
})

// isNotVocabulary says whether a file is not the vocabulary of a tokenizer. In a
// vocabulary, a token may look like an e-mail address.
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

// allowsUnquotedValues says whether values in the file may be written without quotes.
func allowsUnquotedValues(file string) bool {
	switch path.Ext(file) {
	case ".cfg", ".ini", ".md", ".toml", ".yaml", ".yml":
		return true
	case ".txt":
		return isNotVocabulary(file)
	}
	return false
}

// newRedactor returns a redactor for the files of a checkpoint on this machine.
func newRedactor(s *source) *redactor {
	p := &redactor{patterns: redactionPatterns()}
	add := func(dir string) {
		dir = filepath.ToSlash(dir)
		if strings.Count(strings.Trim(dir, "/"), "/") > 0 { // "/tmp" and "/models" are not private
			p.paths = append(p.paths, []byte(dir))
		}
	}
	add(filepath.Dir(s.path))
	if full, err := filepath.Abs(s.requestedDir); err == nil {
		add(filepath.Dir(full))
	}
	if dir, err := os.UserHomeDir(); err == nil {
		add(dir)
		if user := filepath.Base(dir); len(user) > 3 && strings.Count(filepath.ToSlash(dir), "/") > 1 { // the user's directory on another disk
			p.patterns = append(slices.Clip(p.patterns), redactionPattern{regexp.MustCompile(`[/\\](` + regexp.QuoteMeta(user) + `)\b`), nil, []string{user}})
		}
	}
	return p
}

// mayMatch tells whether a content has what every match of the pattern has.
func (p *redactionPattern) mayMatch(content []byte) bool {
	return p.literals == nil || slices.ContainsFunc(p.literals, func(l string) bool { return bytes.Contains(content, []byte(l)) })
}

// redact returns the content of a file with its private parts replaced, and how many
// there were. content itself is not changed.
func (p *redactor) redact(file string, content []byte) (covered []byte, times int) {
	covered = content
	count := func() {
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
			count()
			for j := at + i; j < at+i+len(dir); j++ {
				if covered[j] != '/' {
					covered[j] = redactedByte
				}
			}
			at += i + len(dir)
		}
	}
	for _, pattern := range p.patterns {
		if pattern.in != nil && !pattern.in(file) || !pattern.mayMatch(covered) {
			continue
		}
		for _, m := range pattern.FindAllSubmatchIndex(covered, -1) {
			if len(bytes.Trim(covered[m[2]:m[3]], string(redactedByte)+"\r\n")) == 0 {
				continue
			}
			count()
			for j := m[2]; j < m[3]; j++ {
				if covered[j] != '\n' && covered[j] != '\r' {
					covered[j] = redactedByte
				}
			}
		}
	}
	return covered, times
}
