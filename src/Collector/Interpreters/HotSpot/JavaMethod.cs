namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>A Java method as a stack shows it.</summary>
/// <param name="Name">Class and method, such as <c>java.util.HashMap.put</c>.</param>
/// <param name="File">Name of the source file without its folder; "" when the class does not say.</param>
internal sealed record JavaMethod(string Name, string File);

/// <summary>A method where it runs.</summary>
/// <param name="Line">In the source file; 0 when unknown.</param>
internal readonly record struct JavaCall(JavaMethod Method, int Line);
