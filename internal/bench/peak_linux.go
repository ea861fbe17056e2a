package bench

import (
	"bytes"
	"os"
	"strconv"
)

// peakRSS gives the largest resident set that this process has had, in bytes, or
// says why it is not known.
//
// It reads VmHWM of proc_pid_status(5). The ru_maxrss of getrusage(2) is no use
// here: it survives execve(2), and so a process that was just started has at least
// what its parent had.
func peakRSS() (resident uint64, why string) {
	const missing = "/proc/self/status does not tell the peak of the resident memory"
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, missing
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			number, _, _ := bytes.Cut(bytes.TrimSpace(value), []byte(" "))
			kib, err := strconv.ParseUint(string(number), 10, 44)
			if err != nil || kib == 0 {
				return 0, missing
			}
			return kib << 10, ""
		}
	}
	return 0, missing
}
