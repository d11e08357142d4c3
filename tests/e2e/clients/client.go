// Plays calls with Go's net/http: a line in, a line out, as tests/support/calls.py says.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	givesUp      = 30 * time.Second
	lineBytesMax = 64 << 20
)

// unsized hides how long its reader is, so that the body goes out in chunks.
type unsized struct{ io.Reader }

func decoded(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return data
}

func coded(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func request(line string) (*http.Request, error) {
	fields := strings.Split(line, "\t")
	body := decoded(fields[3])
	var content io.Reader
	switch fields[4] {
	case "length":
		content = bytes.NewReader(body)
	case "chunked":
		content = unsized{bytes.NewReader(body)}
	}
	made, err := http.NewRequest(fields[0], fields[1], content)
	if err != nil {
		return nil, err
	}
	for _, each := range strings.Split(string(decoded(fields[2])), "\n") {
		if name, value, found := strings.Cut(each, ": "); found {
			made.Header.Add(name, value)
		}
	}
	if fields[5] == "wait" {
		made.Header.Set("Expect", "100-continue")
	}
	return made, nil
}

func play(client *http.Client, line string) (string, error) {
	made, err := request(line)
	if err != nil {
		return "", err
	}
	answer, err := client.Do(made)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	var headers []string
	for name, values := range answer.Header {
		for _, value := range values {
			headers = append(headers, name+": "+value)
		}
	}
	if answer.ContentLength >= 0 && answer.Header.Get("Content-Length") == "" {
		headers = append(headers, fmt.Sprintf("Content-Length: %d", answer.ContentLength))
	}
	return fmt.Sprintf("%d\t%s\t%s", answer.StatusCode, coded([]byte(strings.Join(headers, "\n"))), coded(body)), nil
}

func main() {
	client := &http.Client{
		Timeout: givesUp,
		// Longer than it waits for all: a body that is not asked for never goes out.
		Transport:     &http.Transport{ExpectContinueTimeout: 2 * givesUp},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		said, err := play(client, lines.Text())
		if err != nil {
			said = "error\t" + coded([]byte(err.Error()))
		}
		fmt.Println(said)
	}
}
