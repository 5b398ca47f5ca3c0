// Package embedding lays points of many dimensions out on a plane, so that a
// collection can be looked at: neighbours in the original space stay
// neighbours on the map.
package embedding
