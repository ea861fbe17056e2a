package hubcache

// The Hugging Face cache keeps a repository as models--<org>--<name>: refs/<branch>
// holds the name of a commit, snapshots/<commit> the files of it, mostly as links
// into blobs. Source: huggingface_hub, docs/source/en/guides/manage-cache.md.
const (
	SnapshotsDir = "snapshots"
	MainRef      = "refs/main"
	MaxRefSize   = 256 // bytes; a commit has 40 hexadecimal digits
)
