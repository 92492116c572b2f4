using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>How the function of a JavaScript frame is found: <c>struct v8</c> in bpf/v8.h. Offsets in bytes, in objects from their tagged address.</summary>
/// <param name="FrameContext">From the frame pointer.</param>
/// <param name="FrameFunction">From the frame pointer.</param>
/// <param name="SharedType">Instance type of a SharedFunctionInfo.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct V8Layout(int FrameContext, int FrameFunction, int FunctionShared, int ObjectMap, int MapType, uint SharedType);
