// Package targetgroup is targets with labels in common.
package targetgroup

import "github.com/prometheus/common/model"

type Group struct {
	Targets []model.LabelSet
	Labels  model.LabelSet
	Source  string
}
