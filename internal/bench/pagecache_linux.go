package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DropCache removes the content of every file below a directory from the page cache and
// checks that it is gone, as a system may ignore posix_fadvise(2). The error says which
// file is still in the cache, or why that is not known.
func DropCache(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return dropFile(path)
	})
}

func dropFile(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Sync(); err != nil { // unwritten pages are not dropped
		return fmt.Errorf("%s cannot be written to the disk: %w", filepath.Base(path), err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("the system refuses to drop %s from the page cache: %w", filepath.Base(path), err)
	}
	resident, pages, err := residentPages(f)
	if err != nil {
		return fmt.Errorf("cannot tell whether %s is in the page cache: %w", filepath.Base(path), err)
	}
	if resident > 0 {
		return fmt.Errorf("%d of %d pages of %s stay in the page cache", resident, pages, filepath.Base(path))
	}
	return nil
}

// maxPagesChecked bounds how many pages of a file are checked; the rest of a larger file,
// which may be hundreds of gigabytes of weights, is assumed to be like them.
const maxPagesChecked = 1 << 16

// residentPages counts the pages of a file that are in memory, see mincore(2).
func residentPages(f *os.File) (resident, pages int, err error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, 0, err
	}
	size := os.Getpagesize()
	pages = int(min((info.Size()+int64(size)-1)/int64(size), maxPagesChecked))
	mapped, err := unix.Mmap(int(f.Fd()), 0, pages*size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, unix.Munmap(mapped)) }()
	state := make([]byte, pages)
	_, _, failure := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&state[0])))
	if failure != 0 {
		return 0, 0, failure
	}
	for _, s := range state {
		resident += int(s & 1)
	}
	return resident, pages, nil
}
