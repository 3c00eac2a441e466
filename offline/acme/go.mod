module offline/acme

go 1.24.0

require (
	github.com/go-acme/lego/v4 v4.25.2
	github.com/letsencrypt/pebble/v2 v2.8.0
)
