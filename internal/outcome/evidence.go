package outcome

// Evidence is what a scenario that did not pass was judged on.
type Evidence struct {
	Operation string // that was called, "" before the When step
	Tree      *Tree  // of the checkpoint, or nil
	Answer    string // the start of the answer, as JSON; "" where there is none
	AnswerCut int    // bytes of the whole answer where Answer is only its start, else 0
	DecidedBy string // the rule and the file that detection used, "" where the answer does not say it
}

// Tree is a checkpoint's directory with the files below it.
type Tree struct {
	Root  string
	Files []TreeFile // sorted by path
	More  int        // files that are not listed; at least so many where Open
	Open  bool       // there are more than were counted
}

// TreeFile is a file, or what else is no directory.
type TreeFile struct {
	Path    string // below the root
	Size    int64  // in bytes
	Problem string // why it cannot be read, or that it is no regular file; else ""
}
