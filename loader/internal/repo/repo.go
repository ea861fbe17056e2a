// Package repo interprets names of models: a repository of the Hugging Face hub, the
// address of one, or a path. It reads nothing.
package repo

import (
	"strings"
)

// IsPath tells whether name is a path, and not the name of a repository ("org/name" or
// "name").
func IsPath(name string) bool {
	return strings.HasPrefix(name, "/") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") ||
		strings.Contains(name, `\`) || len(name) > 1 && name[1] == ':' || strings.Count(name, "/") > 1
}

// FromAddress gives the "org/name" of a repository's address, as GGUF files have it:
// "https://huggingface.co/org/name". Any other name is returned unchanged.
func FromAddress(name string) string {
	_, rest, isAddress := strings.Cut(name, "://")
	if !isAddress {
		return name
	}
	_, repo, _ := strings.Cut(rest, "/")
	return strings.TrimRight(repo, "/")
}
