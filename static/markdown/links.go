package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// mentions makes @handle a link, by the rule by which pgtape_core.notify_talk finds whom to tell.
type mentions struct{}

func (mentions) Trigger() []byte { return []byte{'@'} }

func (mentions) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	switch before := block.PrecendingCharacter(); {
	case before >= 'a' && before <= 'z', before >= 'A' && before <= 'Z', before >= '0' && before <= '9':
		return nil
	case bytes.ContainsRune([]byte("_.@/-"), before):
		return nil
	}
	line, segment := block.PeekLine()
	name := bytes.TrimRight(mention.Find(line), ".-")
	if len(name) == 0 {
		return nil
	}
	link := ast.NewLink()
	link.Destination = append([]byte("/u/"), name[1:]...)
	link.AppendChild(link, ast.NewTextSegment(segment.WithStop(segment.Start+len(name))))
	block.Advance(len(name))
	return link
}

// tame makes of what was read what may be shown: images are links, links lead where they may, those
// within others are text, and headlines are below those of the page.
type tame struct{}

func (tame) Transform(document *ast.Document, reader text.Reader, _ parser.Context) {
	var found []ast.Node
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			found = append(found, n)
		}
		return ast.WalkContinue, nil // there is no error to pass on
	})
	for i := len(found) - 1; i >= 0; i-- { // what is within first
		switch n := found[i].(type) {
		case *ast.Heading:
			n.Level = min(n.Level+2, 6)
		case *ast.Image:
			link := ast.NewLink()
			link.Destination = n.Destination
			adopt(link, n)
			n.Parent().ReplaceChild(n.Parent(), n, link)
			settle(link)
		case *ast.Link:
			settle(n)
		case *ast.AutoLink:
			if url := n.URL(reader.Source()); n.AutoLinkType == ast.AutoLinkURL && !foreign.Match(url) {
				n.Parent().ReplaceChild(n.Parent(), n, ast.NewString(n.Label(reader.Source())))
			} else {
				n.SetAttributeString("rel", []byte(relation))
			}
		}
	}
}

// settle marks a link as somebody else's, or leaves only its text.
func settle(link *ast.Link) {
	link.Title = nil
	own := bytes.HasPrefix(link.Destination, []byte("/u/")) && allowed.Match(link.Destination)
	if within(link) || !own && !foreign.Match(link.Destination) {
		parent := link.Parent()
		for child := link.FirstChild(); child != nil; child = link.FirstChild() {
			parent.InsertBefore(parent, link, child)
		}
		parent.RemoveChild(parent, link)
		return
	}
	if !own {
		link.SetAttributeString("rel", []byte(relation))
	}
}

func within(link *ast.Link) bool {
	for n := link.Parent(); n != nil; n = n.Parent() {
		if n.Kind() == ast.KindLink || n.Kind() == ast.KindImage {
			return true
		}
	}
	return false
}

func adopt(to, from ast.Node) {
	for child := from.FirstChild(); child != nil; child = from.FirstChild() {
		to.AppendChild(to, child)
	}
}
