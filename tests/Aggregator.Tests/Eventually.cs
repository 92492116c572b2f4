namespace ActorProfiler.Tests;

/// <summary>Waits for other threads.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "")
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var i = 0; i < 3000; i++)
        {
            if (condition())
            {
                return;
            }

            await timer.WaitForNextTickAsync();
        }

        Assert.Fail($"not within 60 s: {what}");
    }
}
