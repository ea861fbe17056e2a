// Package repo tells names of repositories from paths and addresses.
package repo

import (
	"strings"
)

// IsPath tells a path from the name of a repository, "org/name" or "name".
func IsPath(name string) bool {
	return strings.HasPrefix(name, "/") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") ||
		strings.Contains(name, `\`) || len(name) > 1 && name[1] == ':' || strings.Count(name, "/") > 1
}

// FromAddress gives the <org>/<name> of a repository that is named by its
// address, as GGUF files do; anything else stays as it is.
func FromAddress(name string) string {
	_, rest, isAddress := strings.Cut(name, "://")
	if !isAddress {
		return name
	}
	_, repo, _ := strings.Cut(rest, "/")
	return strings.TrimRight(repo, "/")
}
