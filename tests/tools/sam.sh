# Readies the SAM CLI for the suite that reads this by `.`: on the path, in a home of its own, in
# which it has already looked for a newer version.
tests/tools/install python
export PATH=$PWD/.tools/python/bin:$PATH
export SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true __SAM_CLI_APP_DIR=$PWD/.tools/sam
mkdir -p "$__SAM_CLI_APP_DIR"
echo '{"telemetryEnabled": false, "lastVersionCheck": 4102444800}' >"$__SAM_CLI_APP_DIR/metadata.json"

# Only the machine's own architecture can be linked by plain cargo.
case $(uname -m) in arm64 | aarch64) architecture=arm64 ;; *) architecture=x86_64 ;; esac
