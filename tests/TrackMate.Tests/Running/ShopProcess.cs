using System.Diagnostics;
using System.Text.RegularExpressions;

namespace TrackMate.Tests.Running;

/// <summary>The sample shop in a process of its own, telling the given TrackMate. Ends with the test that started it.</summary>
public sealed partial class ShopProcess : IAsyncDisposable
{
    private readonly ListeningProcess process;

    private ShopProcess(ListeningProcess process) => this.process = process;

    public Uri Address => process.Address;

    /// <param name="trackMate">Where TrackMate is, or will be again.</param>
    public static async Task<ShopProcess> StartAsync(Uri trackMate)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "shop")) { WorkingDirectory = Path.GetTempPath() };
        start.Environment["TRACKMATE_URL"] = trackMate.ToString();
        start.Environment["TRACKMATE_COMPANY"] = ServerProcess.CompanyId;
        start.Environment["TRACKMATE_API_KEY"] = ServerProcess.ApiKey;
        start.Environment["SHOP_URLS"] = "http://127.0.0.1:0";
        return new(await ListeningProcess.StartAsync(start, ListeningLine()));
    }

    /// <inheritdoc cref="ListeningProcess.PrintsAsync"/>
    public Task PrintsAsync(string text) => process.PrintsAsync(text);

    public ValueTask DisposeAsync() => process.DisposeAsync();

    [GeneratedRegex(@"Now listening on: (http\S+)")]
    private static partial Regex ListeningLine();
}
