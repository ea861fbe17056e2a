package loader

import (
	"context"
	"io/fs"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/verify"
)

// Verify reads every file of the checkpoint at dir of which a hash is on record,
// weights as well, and compares: with the list of the commit's files that the
// Hugging Face cache keeps, with the name of the blob that a snapshot links to, and
// with the records of a download into a directory. What it finds wrong comes beside
// the answer, for MergeFindings. progress may be nil. The error is that of the context
// where it ended, or that of a directory that cannot be listed.
//
// A hash of 64 digits is the SHA-256 of a large file, one of 40 the name that git
// gives to a small one. Source: huggingface_hub, _local_folder.py and
// docs/source/en/guides/manage-cache.md.
func (l *Loader) Verify(ctx context.Context, fsys fs.FS, dir string, progress verify.Progress) (*answer.Verification, []answer.Finding, error) {
	seen := tree.NewCachedFS(fsys)
	c, err := checkpoint.List(seen, dir)
	if err != nil {
		return nil, nil, err
	}
	files, _ := c.Walk(seen) // what cannot be listed is the inspection's finding
	return verify.Files(c, ctx, files, progress)
}
