// Spends its CPU 60 : 30 : 10 in three functions, by fixed iteration counts.
package main

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

//go:noinline
func sortRows() { spin(600000); sink++ }

//go:noinline
func hashRows() { spin(300000); sink++ }

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
