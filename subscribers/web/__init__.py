"""Send requests to other people's servers, at URLs that other people wrote."""
