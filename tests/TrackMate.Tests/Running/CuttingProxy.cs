using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TrackMate.Tests.Running;

/// <summary>Stands between a program and its database, and cuts a connection as an answer comes back that holds a word: what was done is done, and nobody is told.</summary>
internal sealed class CuttingProxy : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly int database;
    private byte[]? word;

    /// <param name="database">The port it listens on.</param>
    public CuttingProxy(int database)
    {
        this.database = database;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>How often it has cut.</summary>
    public int Cuts { get; private set; }

    /// <summary>Cuts the next connection on which this comes back.</summary>
    public void CutAt(string answer) => Volatile.Write(ref word, Encoding.ASCII.GetBytes(answer));

    public void Dispose()
    {
        stopping.Cancel();
        listener.Dispose();
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = CarryAsync(await listener.AcceptTcpClientAsync(stopping.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task CarryAsync(TcpClient asking)
    {
        using var _ = asking;
        using var answering = new TcpClient();
        try
        {
            await answering.ConnectAsync(IPAddress.Loopback, database, stopping.Token);
            await Task.WhenAny(asking.GetStream().CopyToAsync(answering.GetStream(), stopping.Token), AnswerAsync(answering.GetStream(), asking.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Either end went.
        }
    }

    private async Task AnswerAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, stopping.Token) is > 0 and var count)
        {
            if (Volatile.Read(ref word) is { } looked && buffer.AsSpan(0, count).IndexOf(looked) >= 0 && Interlocked.CompareExchange(ref word, null, looked) == looked)
            {
                Cuts++;
                return;
            }

            await to.WriteAsync(buffer.AsMemory(0, count), stopping.Token);
        }
    }
}
