# Prepares the SAM CLI for a suite that sources this file. Adds it to the path, and gives it a home
# directory in which the check for a newer version is already recorded.
tests/tools/install python
export PATH=$PWD/.tools/python/bin:$PATH
export SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true __SAM_CLI_APP_DIR=$PWD/.tools/sam
mkdir -p "$__SAM_CLI_APP_DIR"
echo '{"telemetryEnabled": false, "lastVersionCheck": 4102444800}' >"$__SAM_CLI_APP_DIR/metadata.json"

# Without a cross compiler, cargo can build only for the architecture of the machine.
case $(uname -m) in arm64 | aarch64) architecture=arm64 ;; *) architecture=x86_64 ;; esac
