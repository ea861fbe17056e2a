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

// DropCache puts the content of every file below a directory out of the page cache.
// The error says why that is not so, where it is not: it is looked at, as a system
// takes the advice of posix_fadvise(2) or leaves it.
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
	if err := f.Sync(); err != nil { // pages that were not written yet stay
		return fmt.Errorf("%s is not written to the disk: %w", filepath.Base(path), err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("the system takes no advice on %s: %w", filepath.Base(path), err)
	}
	resident, pages, err := residentPages(f)
	if err != nil {
		return fmt.Errorf("whether %s is out of the page cache cannot be seen: %w", filepath.Base(path), err)
	}
	if resident > 0 {
		return fmt.Errorf("%d of %d pages of %s stay in the page cache", resident, pages, filepath.Base(path))
	}
	return nil
}

// mostPages bounds what is mapped of a file to look at: the rest of a larger one,
// which may be hundreds of gigabytes of weights, is taken to be like it.
const mostPages = 1 << 16

// residentPages counts the pages of a file that are in memory, see mincore(2).
func residentPages(f *os.File) (resident, pages int, err error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, 0, err
	}
	size := os.Getpagesize()
	pages = int(min((info.Size()+int64(size)-1)/int64(size), mostPages))
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
