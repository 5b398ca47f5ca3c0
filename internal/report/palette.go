package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
)

// token is a colour of the page with its light and its dark value.
type token struct {
	name        string
	light, dark string
}

// tokens returns the colours of the page. Text (ink, soft, accent, good,
// warn) keeps a contrast of at least 4.5 to bg and panel, WCAG's level AA.
func tokens() []token {
	return []token{
		{"bg", "#f7f7f4", "#101317"},
		{"panel", "#ffffff", "#181c22"},
		{"ink", "#1b1f24", "#e8eaed"},
		{"soft", "#5a626c", "#a3acb8"},
		{"line", "#dcdfe2", "#2d343d"},
		{"grid", "#e9ebed", "#262c34"},
		{"accent", "#0b5c99", "#7cc0f5"},
		{"wash", "#e6f0f8", "#17293a"},
		{"good", "#14703f", "#66d19e"},
		{"warn", "#9a4700", "#ffb066"},
		{"warnwash", "#fdf1e3", "#2e2114"},
		{"goodwash", "#e8f5ec", "#14291f"},
		{"rest", "#8a929c", "#727b86"},
	}
}

// seriesColors is the number of colours that tell series and classes apart.
const seriesColors = 10

// series returns the colours of series and classes. They began as Okabe and
// Ito's set for colour-blind readers (Color Universal Design, 2008), whose
// eight colours were moved, and two added, until all ten keep a contrast of 3
// to the panel in both themes and at least 15 in CIE L*a*b* between each other
// as dichromats see them. Colour is never the only sign: series differ in
// marker and bear their names.
func series() [seriesColors]token {
	return [seriesColors]token{
		{"k0", "#0a84d8", "#2fbaf7"},
		{"k1", "#aa4100", "#e06a10"},
		{"k2", "#00a785", "#5bd786"},
		{"k3", "#96247b", "#e18fb0"},
		{"k4", "#bb8c00", "#ffcf31"},
		{"k5", "#12249d", "#7f8bff"},
		{"k6", "#02a1c1", "#4ff0ee"},
		{"k7", "#442f36", "#8a6640"},
		{"k8", "#6ea150", "#e6ff8c"},
		{"k9", "#710005", "#d0207f"},
	}
}

// variables writes the colours as CSS custom properties.
func variables(dark bool) string {
	var sb strings.Builder
	all := tokens()
	s := series()
	for _, t := range append(all, s[:]...) {
		v := t.light
		if dark {
			v = t.dark
		}
		fmt.Fprintf(&sb, "--%s:%s;", t.name, v)
	}
	return sb.String()
}

// colorClasses writes the classes that give an element its series' colour.
func colorClasses() string {
	var sb strings.Builder
	for i, t := range series() {
		fmt.Fprintf(&sb, ".c%d{--c:var(--%s)}", i, t.name)
	}
	sb.WriteString(".cx{--c:var(--rest)}\n")
	return sb.String()
}

//go:embed style.css
var pageStyle string

//go:embed plot.css
var plotStyle string

//go:embed map.js
var mapScript markup

// styleSheet is the page's whole style. A map keeps its dark panel in both
// themes, because its classes need bright colours, and paper is always light.
func styleSheet() markup {
	return markup(":root{color-scheme:light dark;" + variables(false) + "}\n" +
		"@media screen and (prefers-color-scheme:dark){:root{" + variables(true) + "}}\n" +
		".map{color-scheme:dark;" + variables(true) + "}\n" +
		colorClasses() + plotStyle + pageStyle)
}

// svgStyle is the style of a plot that stands alone.
func svgStyle() markup {
	return markup("svg{" + variables(false) + "background:var(--panel)}\n" +
		"@media (prefers-color-scheme:dark){svg{" + variables(true) + "}}\n" +
		colorClasses() + plotStyle)
}

// contentPolicy allows the page its own style, its own script and pictures
// inside the file, and nothing else: whatever a text might smuggle in would
// neither run nor load.
func contentPolicy() string {
	return "default-src 'none'; img-src data:; style-src '" + digest(string(styleSheet())) +
		"'; script-src '" + digest(string(mapScript)) + "'; base-uri 'none'; form-action 'none'"
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// glassMark is the sign of the house: two triangles that meet in a waist.
const glassMark markup = `<svg class="mark" viewBox="0 0 32 40" aria-hidden="true" focusable="false">` +
	`<path class="glass" d="M3 2H29L17.5 19.2V20.8L29 38H3L14.5 20.8V19.2Z"/>` +
	`<path class="sand" d="M9.5 11H22.5L16 20.6ZM16 26.5L22.3 35.5H9.7Z"/></svg>` + "\n"

func iconURI() string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 0 40 40">`+
			`<path fill="#0b5c99" d="M3 2H29L17.5 19.2V20.8L29 38H3L14.5 20.8V19.2Z"/></svg>`))
}
