//go:build linux

// Command init is the only program of the machine that bench/emulate/avx512
// emulates: it runs the test binaries in /tests, says how they ended, and
// stops.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}} {
		if err := syscall.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			fmt.Printf("emulated: cannot mount %s: %v\n", m[1], err)
		}
	}
	failed := 0
	flags, err := os.ReadFile("/tests/flags")
	if err != nil {
		fmt.Println("emulated:", err)
		failed++
	}
	tests, err := filepath.Glob("/tests/*/*.test")
	if err != nil || len(tests) == 0 {
		fmt.Println("emulated: there are no tests", err)
		failed++
	}
	for _, path := range tests {
		fmt.Println("emulated: running", path)
		c := exec.Command(path, strings.Fields(string(flags))...)
		c.Dir = filepath.Dir(path)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Run(); err != nil {
			fmt.Printf("emulated: %s: %v\n", path, err)
			failed++
		}
	}
	fmt.Printf("emulated: end, %d failed\n", failed)
	time.Sleep(2 * time.Second) // the serial line is slower than what is written to it
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}
