package loader

import (
	"context"
	"io/fs"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/verify"
)

// Verify compares the files of the checkpoint at dir, weights included, with the hashes
// that their download recorded: in the list of the commit's files in the Hugging Face
// cache, in the name of the blob that a snapshot links to, or in the record of a
// download into the directory. It reads every byte of these files. The findings are to
// be added to those of Inspect with finding.Merge. The error is that of the
// context, or of a directory that cannot be listed.
//
// progress may be nil. It is called before each file and after each piece of it, with
// the file that is being read and the number of bytes read so far, of total.
//
// A hash of 64 digits is a SHA-256, one of 40 digits the hash that git gives to a file.
// Source: huggingface_hub, _local_folder.py and docs/source/en/guides/manage-cache.md.
func (l *Loader) Verify(ctx context.Context, fsys fs.FS, dir string, progress func(file string, done, total int64)) (*answer.Verification, []answer.Finding, error) {
	cached := tree.NewCachedFS(fsys)
	c, err := checkpoint.List(cached, dir)
	if err != nil {
		return nil, nil, err
	}
	files, _ := c.Walk(cached) // Inspect reports what cannot be listed
	return verify.Files(ctx, c, files, progress)
}
