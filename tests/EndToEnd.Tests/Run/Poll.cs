namespace ActorProfiler.Tests.Run;

/// <summary>Waits for other processes.</summary>
internal static class Poll
{
    /// <param name="what">What was waited for, asked when it did not come.</param>
    public static async Task UntilAsync(Func<bool> condition, TimeSpan patience, Func<string> what) =>
        await UntilAsync(() => Task.FromResult(condition()), patience, what);

    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan patience, Func<string> what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var late = new CancellationTokenSource(patience);
        try
        {
            while (!await condition())
            {
                await timer.WaitForNextTickAsync(late.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"not within {patience.TotalSeconds} s: {what()}");
        }
    }
}
