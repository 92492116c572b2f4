// Spends its CPU 60 : 30 : 10 in Go called by C called by Go, in C called by Go, and in Go.
package main

// void sort_rows(int rounds);
// void hash_rows(int rounds);
import "C"

import (
	"os"
	"strconv"
	"time"
)

var sink uint64

//go:noinline
func spin(rounds int) {
	x := sink
	for i := 0; i < rounds; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	sink = x
}

//export sortInGo
func sortInGo(rounds C.int) { spin(int(rounds)); sink++ }

//go:noinline
func sortRows() { C.sort_rows(600000); sink++ }

//go:noinline
func hashRows() { C.hash_rows(300000); sink++ }

//go:noinline
func writeRows() { spin(100000); sink++ }

//go:noinline
func runQuery() { sortRows(); hashRows(); writeRows(); sink++ }

func main() {
	seconds, _ := strconv.ParseFloat(os.Args[1], 64)
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for time.Now().Before(end) {
		runQuery()
	}
}
