// Package strutil makes label names.
package strutil

import "regexp"

var forbidden = regexp.MustCompile(`[^a-zA-Z0-9_]`)

func SanitizeLabelName(name string) string { return forbidden.ReplaceAllString(name, "_") }
