"""An API's answer -> the result of a call."""
