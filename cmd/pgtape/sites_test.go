package main

import "testing"

// An origin is as browsers write it, however it was named.
func TestAnOriginIsWrittenAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://app.example.org:443": "https://app.example.org", "http://App.Example.org:80/": "http://app.example.org",
		"https://app.example.org:80": "https://app.example.org:80", "https://[2001:db8::1]:443": "https://[2001:db8::1]",
		"https://app.example.org:": "https://app.example.org", "https://op:secret@app.example.org": "", "app.example.org": "", "https://app.example.org/x": "",
	} {
		u, err := parseOrigin(text)
		if (err == nil) != (want != "") || err == nil && u.String() != want {
			t.Errorf("%s: %v, %v, want %q", text, u, err, want)
		}
	}
}
