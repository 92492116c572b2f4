// Package model is label sets.
package model

const (
	AddressLabel    = LabelName("__address__")
	InstanceLabel   = LabelName("instance")
	MetaLabelPrefix = "__meta_"
)

type (
	LabelName  string
	LabelValue string
	LabelSet   map[LabelName]LabelValue
)

// Merge gives the labels of both; those of other win.
func (l LabelSet) Merge(other LabelSet) LabelSet {
	merged := make(LabelSet, len(l)+len(other))
	for name, value := range l {
		merged[name] = value
	}
	for name, value := range other {
		merged[name] = value
	}
	return merged
}
