using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace TrackMate.Tests.Browser;

/// <summary>What a developer would see who has the console open: errors, warnings, and what the page threw.</summary>
internal static class Complaints
{
    /// <summary>Fills while the page lives.</summary>
    public static IReadOnlyCollection<string> Of(IPage page)
    {
        var complaints = new ConcurrentQueue<string>();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") complaints.Enqueue($"{message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => complaints.Enqueue($"thrown: {error}");
        return complaints;
    }
}
