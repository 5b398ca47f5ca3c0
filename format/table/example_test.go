package table_test

import (
	"fmt"
	"os"

	"hourglass/format/table"
)

func Example() {
	err := table.Write(os.Stdout, table.CSV, &table.Table{
		Names:  []string{"shoe.png", "bag.png"},
		Labels: []string{"shoe", "bag"},
		Dim:    3,
		Values: []float32{0.5, -1, 0, 2, 0.25, 8},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// name,label,z0,z1,z2
	// shoe.png,shoe,0.5,-1,0
	// bag.png,bag,2,0.25,8
}
