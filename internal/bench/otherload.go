package bench

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// clockTicks is the number of ticks of /proc/stat in a second, which is 100 whatever the
// kernel's own timer, see proc(5).
const clockTicks = 100

// cpuTimes are the times in seconds that all processors together spent since the machine
// was started, and that this process and its ended children spent.
type cpuTimes struct {
	at           time.Time
	total, steal float64 // steal: time that the host gave to other machines
	used         float64 // by any program, the kernel included
	own          float64 // by this process and its ended children
}

// readCPUTimes reads the times; ok is false where the system does not give them.
func readCPUTimes() (t cpuTimes, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t, false
	}
	if t, ok = parseCPUTimes(string(text)); !ok {
		return t, false
	}
	t.at = time.Now()
	t.own, ok = ownCPU()
	return t, ok
}

// parseCPUTimes reads the first line of /proc/stat: user, nice, system, idle, iowait,
// irq, softirq and steal, of all processors together.
func parseCPUTimes(text string) (t cpuTimes, ok bool) {
	line, _, _ := strings.Cut(text, "\n")
	var user, nice, system, idle, iowait, irq, softirq, steal float64
	if _, err := fmt.Sscanf(line, "cpu %f %f %f %f %f %f %f %f", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return t, false
	}
	t.used = (user + nice + system + irq + softirq) / clockTicks
	t.steal = steal / clockTicks
	t.total = t.used + t.steal + (idle+iowait)/clockTicks
	return t, true
}

// WatchOtherLoad starts to observe what other programs do on the machine. The function it
// gives writes the result so far into an environment, under StealKey and OtherCPUKey;
// where the system does not give the times, it writes nothing.
func WatchOtherLoad() (record func(environment map[string]any)) {
	before, ok := readCPUTimes()
	return func(environment map[string]any) {
		if now, still := readCPUTimes(); ok && still {
			now.addLoadSince(before, environment)
		}
	}
}

// addLoadSince writes the load between two times into an environment.
func (t cpuTimes) addLoadSince(before cpuTimes, environment map[string]any) {
	wall, total := t.at.Sub(before.at).Seconds(), t.total-before.total
	if wall <= 0 || total <= 0 {
		return
	}
	environment[StealKey] = round3((t.steal - before.steal) / total)
	environment[OtherCPUKey] = round3(max(0, (t.used-before.used)-(t.own-before.own)) / wall)
}

func round3(v float64) float64 { return float64(int(v*1000+0.5)) / 1000 }
