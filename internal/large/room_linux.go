package large

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// room returns the bytes that the process may still take: what the system has left,
// in memory and to swap to, and what limits on the process and on its group leave.
func room() int64 {
	return max(0, min(systemRoom(), groupRoom(), addressRoom()))
}

const unlimited = math.MaxInt64

// systemRoom reads /proc/meminfo.
func systemRoom() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return unlimited
	}
	free, known := int64(0), false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		f := strings.Fields(lines.Text()) // such as "MemAvailable:   23172720 kB"
		if len(f) != 3 || f[0] != "MemAvailable:" && f[0] != "SwapFree:" {
			continue
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil || n > unlimited>>11 {
			return unlimited
		}
		free += n << 10
		known = known || f[0] == "MemAvailable:"
	}
	if !known {
		return unlimited
	}
	return free
}

// groupRoom reads what the control group, such as a container, leaves.
func groupRoom() int64 {
	const group = "/sys/fs/cgroup/memory."
	limit, ok := number(group + "max") // "max" where there is none
	used, there := number(group + "current")
	if !ok || !there {
		return unlimited
	}
	return limit - used
}

// addressRoom returns what ulimit -v leaves.
func addressRoom() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &limit); err != nil || limit.Cur > unlimited {
		return unlimited
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return unlimited
	}
	size, _, _ := strings.Cut(string(text), " ")
	pages, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return unlimited
	}
	return int64(limit.Cur) - pages*int64(os.Getpagesize())
}

// number reads a file that holds one.
func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
