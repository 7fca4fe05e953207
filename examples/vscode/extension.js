// Starts the debug adapter that comes with Zhisuan: `zhisuan dap`, found on the search path or named
// by the environment variable ZHISUAN.
const vscode = require("vscode");

exports.activate = (context) => {
  const command = process.env.ZHISUAN || "zhisuan";
  const factory = {
    createDebugAdapterDescriptor: () => new vscode.DebugAdapterExecutable(command, ["dap"]),
  };
  context.subscriptions.push(vscode.debug.registerDebugAdapterDescriptorFactory("zhisuan", factory));
};

exports.deactivate = () => {};
